import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { hashLinkCode, newLinkCode } from "#core/telegram/link-code.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { Person } from "./bot-api/people.ts";
import { type BotStack, startBotStack } from "./bot-stack.ts";
import { UPDATES_OF_EVERY_KIND } from "./updates-of-every-kind.ts";

let stack: BotStack;
beforeAll(async () => {
  stack = await startBotStack({ postgres: inject("postgres") });
});
afterAll(() => stack?.stop());

async function linkedPerson(profile = {}): Promise<Person> {
  const person = stack.telegram.addPerson(profile);
  await stack.link(person.chat.id);
  return person;
}
const texts = (person: Person) =>
  stack.telegram.answersIn(person.chat).map((message) => message.text ?? "");
const lastText = (person: Person) => texts(person).at(-1) ?? "";

/** Says something and waits for the answer to it. */
async function ask(person: Person, text: string): Promise<string> {
  const before = texts(person).length;
  person.says(text);
  await eventually(() => expect(texts(person).length).toBe(before + 1));
  await eventually(() => expect(lastText(person)).not.toBe("…"));
  return lastText(person);
}

async function makeCode(): Promise<{ code: string; teamId: string }> {
  const code = newLinkCode();
  const teamId = await stack.link();
  await stack.sql(
    "INSERT INTO telegram_link_codes (code_hash, team_id, created_by, expires_at) VALUES ($1, $2, 'test', now() + interval '1 hour')",
    [await hashLinkCode(code), teamId],
  );
  return { code, teamId };
}

describe.concurrent("commands", () => {
  it("link a chat by a deep link's code, once", async () => {
    const { code, teamId } = await makeCode();
    const [sara, reza] = [stack.telegram.addPerson(), stack.telegram.addPerson()];
    expect(await ask(sara, "hello")).toContain("not linked to a team yet");
    expect(await ask(sara, "/start")).toContain("not linked to a team yet");
    expect(await ask(sara, "/start wrong-code")).toContain("unknown, used or over its time");
    expect(await ask(sara, `/start ${code}`)).toContain("now linked to the team Gardeners");
    expect(await ask(sara, "hello")).toBe("Echo: hello");
    expect(await ask(sara, "/start")).toContain("belongs to the team Gardeners");
    expect(await ask(reza, `/start ${code}`)).toContain("unknown, used or over its time");
    expect(
      stack.model.turns.filter((turn) => turn.actor.chat_id === String(sara.chat.id)),
    ).toMatchObject([{ actor: { team_id: teamId } }]);
    expect(stack.model.turns.filter((turn) => turn.actor.chat_id === String(reza.chat.id))).toEqual(
      [],
    );
  });

  it("tell what there is to tell", async () => {
    const sara = await linkedPerson();
    expect(await ask(sara, "/help")).toContain("/settings");
    expect(await ask(sara, "/whoami")).toMatch(
      new RegExp(`User: ${sara.user.id}\nChat: ${sara.chat.id}\nTeam: Gardeners \\(team_`),
    );
    expect(await ask(sara, "/usage")).toContain(
      "3 requests, 1,200 tokens in, 345 tokens out, $0.0123",
    );
    expect(await ask(sara, "/dance")).toContain("do not know this command");
  });

  it("show the models as buttons, and use the one that was tapped", async () => {
    const sara = await linkedPerson();
    stack.model.models = ["gpt-large", "gpt-small", `vendor/${"long-name-".repeat(12)}`];
    expect(await ask(sara, "/model")).toContain("The model is the default");
    const tap = sara.taps(stack.model.models[2] ?? "");
    await eventually(() =>
      expect(stack.telegram.world.answeredCallbacks.get(tap.callbackId)?.text).toContain(
        "long-name",
      ),
    );
    await ask(sara, "hello");
    expect(
      stack.model.turns.filter((turn) => turn.actor.chat_id === String(sara.chat.id)).at(-1)?.model,
    ).toBe(stack.model.models[2]);
    expect(await ask(sara, "/whoami")).toContain("long-name");
  });

  it("speak the user's language, or the one that was chosen", async () => {
    const mina = await linkedPerson({ language_code: "fa" });
    expect(await ask(mina, "/new")).toContain("گفتگوی تازه‌ای");
    await ask(mina, "/settings");
    mina.taps("Deutsch");
    await eventually(() => expect(lastText(mina)).toContain("Sprache: Deutsch"));
    expect(await ask(mina, "/new")).toContain("neues Gespräch");
    mina.taps("automatisch");
    await eventually(() => expect(texts(mina)[1]).toContain("خودکار"));
    expect(await ask(mina, "/new")).toContain("گفتگوی تازه‌ای");
  });

  it("set and remove instructions for every answer", async () => {
    const sara = await linkedPerson();
    const system = () =>
      stack.model.turns.filter((turn) => turn.actor.chat_id === String(sara.chat.id)).at(-1)
        ?.system;
    await ask(sara, "/settings prompt Answer like a pirate.\nAlways.");
    await ask(sara, "hello");
    expect(system()).toBe("Answer like a pirate.\nAlways.");
    expect(await ask(sara, "/settings")).toContain("pirate");
    sara.taps("Remove the instructions");
    await eventually(() => expect(lastText(sara)).toContain("Instructions: none"));
    await ask(sara, "hello");
    expect(system()).toBeNull();
    expect(await ask(sara, `/settings prompt ${"x".repeat(4050)}`)).toContain(
      "at most 4000 characters",
    );
  });

  it("tell problems of the service in a sentence with the request id", async () => {
    const sara = await linkedPerson();
    for (const command of ["/model", "/usage"]) {
      stack.model.refusals.set(sara.chat.id, { status: 503, code: "unavailable", times: 1 });
      expect(await ask(sara, command)).toMatch(
        /^The service is not available right now; .*\nRequest id: req_scripted$/,
      );
    }
  });
});

describe.concurrent("updates of every kind", () => {
  it.each(UPDATES_OF_EVERY_KIND.map((one) => [one.name, one] as const))(
    "%s",
    async (_name, { update, answered }) => {
      const mina = await linkedPerson();
      // The same update, as if it had come from this person.
      const own = JSON.parse(
        JSON.stringify(update).replaceAll("880001", String(mina.user.id)),
      ) as Record<string, unknown>; // made of an object
      const response = await stack.post({ update_id: Math.floor(Math.random() * 1e9), ...own });
      expect(response.status).toBe(200);
      mina.says("marker");
      await eventually(() => expect(texts(mina)).toContain("Echo: marker"));
      expect(texts(mina)).toHaveLength(answered ? 2 : 1);
      expect(texts(mina).join()).not.toMatch(/sorry|TypeError|at \w+ \(/i);
    },
  );
});

it("lets guests in where GUEST_ACCESS is on, as one team of their own", async () => {
  const open = await startBotStack({ postgres: inject("postgres"), vars: { GUEST_ACCESS: "on" } });
  try {
    const guests = [open.telegram.addPerson(), open.telegram.addPerson()];
    for (const guest of guests) guest.says("hello");
    for (const guest of guests)
      await eventually(() =>
        expect(open.telegram.answersIn(guest.chat)).toMatchObject([{ text: "Echo: hello" }]),
      );
    const teams = await open.sql<{ id: string }>("SELECT id FROM teams");
    expect(teams).toHaveLength(1);
    expect(new Set(open.model.turns.map((turn) => turn.actor.team_id))).toEqual(
      new Set([teams[0]?.id]),
    );
  } finally {
    await open.stop();
  }
});
