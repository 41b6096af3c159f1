import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import type { Person } from "./bot-api/people.ts";
import { type BotStack, SECRET, startBotStack } from "./bot-stack.ts";
import { pause } from "./scripted-chat.ts";

let stack: BotStack;
beforeAll(async () => {
  stack = await startBotStack({ postgres: inject("postgres") });
});
afterAll(() => stack?.stop());

async function linkedPerson(): Promise<Person> {
  const person = stack.telegram.addPerson();
  await stack.link(person.chat.id);
  return person;
}
const answers = (person: Person) => stack.telegram.answersIn(person.chat);
const texts = (person: Person) => answers(person).map((message) => message.text);
const turnsOf = (person: Person) =>
  stack.model.turns.filter((turn) => turn.actor.chat_id === String(person.chat.id));

describe("kill -9 of the runtime", () => {
  it("in the middle of an answer still leaves one answer to each message, in order", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (turn, signal) {
      yield "The answer ";
      await pause(turnsOf(sara).length === 1 ? 60_000 : 10, signal);
      yield `to ${String(turn.message)}`;
    });
    sara.says("one");
    sara.says("two");
    await eventually(() => expect(texts(sara)).toEqual(["The answer"]));
    await stack.telegram.delivery.settled();
    await stack.kill();
    await stack.restart();
    await eventually(() => expect(texts(sara)).toEqual(["The answer to one", "The answer to two"]));
    expect(answers(sara).every((message) => message.replyMarkup === undefined)).toBe(true);
    expect(new Set(turnsOf(sara).map((turn) => turn.turnId)).size).toBe(2);
  });

  it("between the parts of a long answer sends no part twice", async () => {
    const sara = await linkedPerson();
    const paragraph = (n: number) => `Paragraph ${n}. ${"words ".repeat(600)}`;
    stack.model.scripts.set(sara.chat.id, async function* () {
      yield [1, 2, 3, 4].map(paragraph).join("\n\n");
    });
    sara.says("long");
    await eventually(() =>
      expect(texts(sara).filter((text) => text?.startsWith("Paragraph"))).toHaveLength(2),
    );
    // The third part hangs on its way: by then the second one's id is stored.
    const sends = () =>
      stack.telegram
        .callsOf("sendMessage")
        .filter((call) => Number(call.params["chat_id"]) === sara.chat.id).length;
    stack.telegram.fail({
      method: "sendMessage",
      chatId: sara.chat.id,
      delayMs: 60_000,
      drop: "before",
    });
    await eventually(() => expect(sends()).toBe(3));
    await stack.kill();
    await stack.restart();
    await eventually(() => expect(texts(sara)).toHaveLength(4));
    expect(texts(sara).map((text) => text?.slice(0, 11))).toEqual([
      "Paragraph 1",
      "Paragraph 2",
      "Paragraph 3",
      "Paragraph 4",
    ]);
    expect(turnsOf(sara)).toHaveLength(1);
  });

  it("right after the 200 loses nothing, and what Telegram sends again afterwards is not answered again", async () => {
    const sara = await linkedPerson();
    const update = sara.writes("do not forget me");
    expect((await stack.post(update)).status).toBe(200);
    await stack.kill();
    await stack.restart();
    await eventually(() => expect(texts(sara)).toEqual(["Echo: do not forget me"]));
    await stack.post(update);
    sara.says("next");
    await eventually(() => expect(texts(sara)).toEqual(["Echo: do not forget me", "Echo: next"]));
  });

  it("keeps a stop that was asked for before it, and what had been written", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      yield "Kept text";
      await pause(60_000, signal);
    });
    sara.says("go");
    await eventually(() => expect(texts(sara)).toEqual(["Kept text"]));
    stack.telegram.fail({
      method: "editMessageText",
      chatId: sara.chat.id,
      times: 100,
      status: 502,
      description: "Bad Gateway",
    });
    const tap = sara.taps("⏹ Stop");
    await eventually(() =>
      expect(stack.telegram.world.answeredCallbacks.has(tap.callbackId)).toBe(true),
    );
    await stack.kill();
    stack.telegram.clearFaults();
    await stack.restart();
    await eventually(() =>
      expect(answers(sara)).toMatchObject([{ text: "Kept text", replyMarkup: undefined }]),
    );
    expect(turnsOf(sara)).toHaveLength(1);
  });
});

describe("Telegram in trouble", () => {
  it("for a while delays the answer, and loses neither it nor its order", async () => {
    const sara = await linkedPerson();
    stack.telegram.fail({
      method: "sendMessage",
      chatId: sara.chat.id,
      times: 3,
      status: 502,
      rawBody: "<html>Bad Gateway</html>",
    });
    stack.telegram.fail({ method: "sendMessage", chatId: sara.chat.id, times: 2, drop: "before" });
    sara.says("one");
    sara.says("two");
    await eventually(() => expect(texts(sara)).toEqual(["Echo: one", "Echo: two"]));
  });

  it("that takes a message and hangs up leaves at most a stray placeholder, and one answer", async () => {
    const sara = await linkedPerson();
    stack.telegram.fail({ method: "sendMessage", chatId: sara.chat.id, drop: "after" });
    stack.telegram.fail({ method: "editMessageText", chatId: sara.chat.id, drop: "after" });
    sara.says("hello");
    await eventually(() =>
      expect(texts(sara).filter((text) => text === "Echo: hello")).toHaveLength(1),
    );
    sara.says("marker");
    await eventually(() => expect(texts(sara).at(-1)).toBe("Echo: marker"));
    expect(texts(sara).filter((text) => text !== "…")).toEqual(["Echo: hello", "Echo: marker"]);
  });
});

describe("the webhook", () => {
  const update = {
    update_id: 5,
    message: {
      message_id: 1,
      date: 1,
      chat: { id: 31, type: "private" },
      from: { id: 31 },
      text: "hi",
    },
  };
  const secret = { "x-telegram-bot-api-secret-token": SECRET };

  it.each([
    ["no secret", {}],
    ["a wrong secret", { "x-telegram-bot-api-secret-token": "Secret_of-the-testz" }],
    ["a part of the secret", { "x-telegram-bot-api-secret-token": SECRET.slice(0, -1) }],
    ["an empty secret", { "x-telegram-bot-api-secret-token": "" }],
  ])(
    "answers 401 to %s, calls nobody and keeps nothing",
    async (_what, headers: Record<string, string>) => {
      const calls = stack.telegram.calls.length;
      const turns = stack.model.turns.length;
      const response = await stack.post(update, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toContain("application/problem+json");
      await stack.post("{not json", headers).then((other) => expect(other.status).toBe(401));
      expect([stack.telegram.calls.length, stack.model.turns.length]).toEqual([calls, turns]);
    },
  );

  it.each([
    ["JSON that is none", "{oops", 400, "invalid_json"],
    ["an empty body", "", 400, "invalid_json"],
    ["a list", "[]", 400, "invalid_request"],
    ["no update_id", "{}", 400, "invalid_request"],
    ["an update_id that is a text", '{"update_id":"7"}', 400, "invalid_request"],
    [
      "more than a megabyte",
      JSON.stringify({ update_id: 1, pad: "x".repeat(1_100_000) }),
      413,
      "body_too_large",
    ],
  ])("refuses %s with a problem that says what is wrong", async (_what, body, status, code) => {
    const response = await stack.post(body, secret);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      status,
      code,
      detail: expect.any(String),
      request_id: expect.stringMatching(/^req_/),
    });
  });

  it("refuses a body without a length once it is over a megabyte", async () => {
    const chunk = new TextEncoder().encode("x".repeat(64 * 1024));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => (sent++ < 40 ? controller.enqueue(chunk) : controller.close()),
    });
    const response = await fetch(`${stack.url}/telegram/webhook`, {
      method: "POST",
      headers: secret,
      body,
      duplex: "half",
    } as RequestInit); // duplex is not in the type yet
    expect(response.status).toBe(413);
  });

  it("takes POST only", async () => {
    expect((await fetch(`${stack.url}/telegram/webhook`, { headers: secret })).status).toBe(405);
    expect((await fetch(`${stack.url}/telegram/other`)).status).toBe(404);
  });

  it("answers 503 when the update cannot be kept, so that Telegram sends it again", async () => {
    const broken = await startBotStack({ postgres: inject("postgres"), brokenStore: true });
    try {
      const response = await broken.post(update);
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("1");
      expect(await response.text()).not.toContain("disk I/O");
      expect(broken.telegram.calls).toEqual([]);
    } finally {
      await broken.stop();
    }
  });
});

describe("health", () => {
  it("is healthy without touching anything", async () => {
    const calls = stack.telegram.calls.length;
    expect(await (await fetch(`${stack.url}/health`)).json()).toMatchObject({
      status: "healthy",
      service: "bot",
      version: expect.any(String),
    });
    expect(stack.telegram.calls.length).toBe(calls);
  });

  it("is ready with its dependencies, and degraded within two seconds when Telegram hangs", async () => {
    const ready = await fetch(`${stack.url}/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      status: "ready",
      service: "bot",
      dependencies: {
        telegram_api: { status: "ok", latencyMs: expect.any(Number) },
        external_services: {
          status: "ok",
          services: { api: { status: "ok" }, database: { status: "ok" } },
        },
      },
    });
    stack.telegram.fail({ method: "getMe", times: 100, delayMs: 60_000 });
    const degraded = await eventually(async () => {
      const response = await fetch(`${stack.url}/ready`);
      const body = (await response.json()) as {
        status: string;
        dependencies: { telegram_api: { latencyMs: number } };
      }; // checked below
      expect(body.status).toBe("degraded");
      expect(response.status).toBe(200);
      return body;
    });
    expect(degraded.dependencies.telegram_api.latencyMs).toBeLessThan(3000);
    stack.telegram.clearFaults();
  });
});

describe("notices from other Workers", () => {
  it("are sent once a key, also while an answer is being written and through kill -9", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      yield "a long";
      await pause(turnsOf(sara).length === 1 ? 60_000 : 10, signal);
      yield " answer";
    });
    sara.says("go");
    await eventually(() => expect(texts(sara)).toEqual(["a long"]));
    const notify = (text: string, key: string) =>
      stack.call<boolean>("notify", sara.chat.id, text, key);
    expect(await notify("Your report is ready.", "job_1")).toBe(true);
    await eventually(() => expect(texts(sara)).toEqual(["a long", "Your report is ready."]));
    expect(await notify("Your report is ready.", "job_1")).toBe(false);
    expect(await notify("And another one.", "job_2")).toBe(true);
    await stack.kill();
    await stack.restart();
    await eventually(() => {
      const all = texts(sara).filter((text) => text !== "…");
      expect(all).toEqual(["a long answer", "Your report is ready.", "And another one."]);
    });
  });

  it("are refused where the bot was blocked", async () => {
    const sara = await linkedPerson();
    sara.blocks();
    await eventually(async () =>
      expect(await stack.call("notify", sara.chat.id, "hello")).toBe(false),
    );
    expect(texts(sara)).toEqual([]);
  });

  it("come with a look at the bot's health", async () => {
    expect(await stack.call("health")).toMatchObject({
      service: "bot",
      dependencies: { telegram_api: {} },
    });
  });
});

it("whatever went wrong above, no log line holds the bot's token or the webhook's secret", () => {
  expect(stack.logs.lines.length).toBeGreaterThan(0);
  for (const secret of [stack.telegram.token, stack.telegram.token.split(":")[1] ?? "", SECRET]) {
    expect(stack.logs.lines.filter((line) => line.includes(secret))).toEqual([]);
  }
});
