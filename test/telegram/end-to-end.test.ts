import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";
import type { FaultProvider } from "#test/providers/fault-provider.ts";
import type { BotApi } from "./bot-api-server.ts";
import type { Person } from "./bot-api/people.ts";
import { startTelegramStack, type TelegramStack } from "./telegram-stack.ts";

/** The bot with the real api Worker behind it: links, sessions, models and usage are its own. */
let started: TelegramStack;
let stack: Stack;
let telegram: BotApi;
let provider: FaultProvider;

beforeAll(async () => {
  started = await startTelegramStack({
    postgres: inject("postgres"),
    vars: { AI_SERVICE_MODEL: "fault-1,org/fault-large" },
  });
  ({ stack, telegram, provider } = started);
});
afterAll(async () => {
  await started?.stop();
});

const texts = (person: Person) =>
  telegram.answersIn(person.chat).map((message) => message.text ?? "");
const finished = (person: Person) =>
  telegram.answersIn(person.chat).filter((message) => !message.replyMarkup && message.text !== "…");

async function ask(person: Person, text: string): Promise<string> {
  const before = finished(person).length;
  person.says(text);
  await eventually(() => expect(finished(person).length).toBeGreaterThan(before));
  return finished(person).at(-1)?.text ?? "";
}

/** A team, and somebody whose chat was linked to it by a code from the API. */
async function linkedPerson() {
  const team = await stack.createTeam();
  const person = telegram.addPerson();
  const { command } = await team.client.expect<{ command: string }>(
    201,
    "POST",
    "/v1/telegram/link-codes",
    {},
  );
  expect(await ask(person, command)).toContain("now linked to the team Test team");
  return { team, person };
}

describe("the bot and the api Worker", () => {
  it("link a chat by a code, and keep its history in a session that the team sees", async () => {
    const { team, person } = await linkedPerson();
    await ask(person, "My name is Mina.");
    await ask(person, "What is my name?");
    const [second] = provider.requests.filter((request) =>
      request.text.includes("What is my name?"),
    );
    expect(JSON.stringify(second?.body?.["messages"])).toContain("My name is Mina.");
    const sessions = await team.client.expect<{ data: { id: string }[] }>(
      200,
      "GET",
      "/v1/sessions",
    );
    expect(sessions.data).toHaveLength(1);
    await ask(person, "/new");
    await ask(person, "And now?");
    const third = provider.requests.find((request) => request.text.includes("And now?"));
    expect(third?.text).not.toContain("Mina");
  });

  it("charge the team and the user, and show the user what was used", async () => {
    const { team, person } = await linkedPerson();
    await ask(person, "Count me.");
    const endUser = `tg:${person.user.id}`;
    await eventually(async () => {
      const { data } = await team.client.expect<{ data: { end_user: string; requests: number }[] }>(
        200,
        "GET",
        `/v1/usage?group_by=end_user&end_user=${encodeURIComponent(endUser)}`,
      );
      expect(data).toMatchObject([{ end_user: endUser, requests: 1 }]);
    });
    expect(await ask(person, "/usage")).toMatch(
      /^Used by you from .*\n1 requests, [\d,]+ tokens in/,
    );
  });

  it("hold to what was chosen by button", async () => {
    const { person } = await linkedPerson();
    person.says("/model");
    await eventually(() =>
      expect(telegram.answersIn(person.chat).at(-1)?.replyMarkup).toBeDefined(),
    );
    person.taps("org/fault-large");
    await eventually(() => expect(texts(person).at(-1)).toContain("org/fault-large"));
    await ask(person, "/settings prompt Answer like a gardener.");
    await ask(person, "Who are you, large one?");
    const request = provider.requests.find((one) => one.text.includes("large one"));
    expect(request?.body).toMatchObject({
      model: "org/fault-large",
      messages: [{ role: "system", content: "Answer like a gardener." }, {}],
    });
    await ask(person, "/settings prompt");
    await ask(person, "Without instructions now");
    expect(
      provider.requests.find((one) => one.text.includes("Without instructions"))?.text,
    ).not.toContain("gardener");
  });

  it("send photos to the model", async () => {
    const { person } = await linkedPerson();
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1, 2, 3, 4]);
    person.sendsPhoto(png, { caption: "Which plant is this?" });
    await eventually(() =>
      expect(provider.requests.some((one) => one.text.includes("Which plant is this?"))).toBe(true),
    );
    const request = provider.requests.find((one) => one.text.includes("Which plant is this?"));
    expect(request?.text).toContain(`data:image/png;base64,${Buffer.from(png).toString("base64")}`);
  });

  it("turn a chat away again once its link is taken", async () => {
    const { team, person } = await linkedPerson();
    await team.client.expect(204, "DELETE", `/v1/telegram/links/${person.chat.id}`);
    await eventually(
      async () => expect(await ask(person, "Am I still in?")).toContain("not linked to a team yet"),
      90_000,
    );
  });
});

it("kill -9 in the middle of an answer leaves one answer, and the question once in the history", async () => {
  const { team, person } = await linkedPerson();
  let asked = 0;
  provider.script("fault-1", () => (asked++ === 0 ? { stopAfter: 2, ending: "silence" } : {}));
  person.says("Tell me slowly.");
  await eventually(() =>
    expect(telegram.answersIn(person.chat).at(-1)).toMatchObject({
      replyMarkup: {},
      editDate: expect.any(Number),
    }),
  );
  await stack.kill();
  await stack.restart();
  started.deliver();
  await eventually(() => expect(finished(person)).toHaveLength(2));
  expect(asked).toBe(2);
  const sessions = await team.client.expect<{ data: { id: string }[] }>(200, "GET", "/v1/sessions");
  const { data } = await team.client.expect<{ data: { role: string }[] }>(
    200,
    "GET",
    `/v1/sessions/${sessions.data[0]?.id}/messages`,
  );
  expect(data.map((message) => message.role).sort()).toEqual(["assistant", "user"]);
});
