import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import type { Person } from "./bot-api/people.ts";
import type { StoredMessage } from "./bot-api/world.ts";
import { type BotStack, startBotStack } from "./bot-stack.ts";
import { type AskedTurn, pause, textOf } from "./scripted-chat.ts";

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

const answers = (person: Person): StoredMessage[] => stack.telegram.answersIn(person.chat);
const texts = (person: Person) => answers(person).map((message) => message.text);
const finished = (person: Person) =>
  answers(person).filter((message) => message.replyMarkup === undefined && message.text !== "…");
const turnsOf = (person: Person) =>
  stack.model.turns.filter((turn) => turn.actor.chat_id === String(person.chat.id));

describe.concurrent("an answer", () => {
  it("is written into one message while it comes, in plain text, and formatted at its end", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      for (const word of ["**Bold** ", "and ", "`code`"]) {
        yield word;
        await pause(1300, signal);
      }
    });
    sara.says("format, please");
    await eventually(() => expect(finished(sara)).toMatchObject([{ text: "Bold and code" }]));
    const [message] = answers(sara);
    expect(message?.entities.map((one) => one.type)).toEqual(["bold", "code"]);
    expect(message?.history[0]).toBe("…");
    expect(message?.history).toContain("**Bold** and");
    expect(stack.telegram.calls.filter((call) => call.status === 429)).toEqual([]);
    expect(turnsOf(sara)).toMatchObject([
      { message: "format, please", actor: { end_user: `tg:${sara.user.id}` } },
    ]);
  });

  it("leaves the webhook within half a second, however long the model takes", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      await pause(3000, signal);
      yield "at last";
    });
    const update = sara.says("think hard");
    await eventually(() => expect(texts(sara)).toEqual(["at last"]));
    const [attempt] = stack.telegram.delivery.attempts.filter((one) => one.updateId === update);
    expect(attempt).toMatchObject({ status: 200 });
    expect(attempt?.durationMs).toBeLessThan(500);
  });

  it("goes on in the same conversation, until /new", async () => {
    const sara = await linkedPerson();
    for (const [index, text] of ["one", "two", "/new", "three"].entries()) {
      sara.says(text);
      await eventually(() => expect(finished(sara)).toHaveLength(index + 1));
    }
    const [first, second, third] = turnsOf(sara).map((turn) => turn.sessionId);
    expect([first, third]).toEqual([null, null]);
    expect(second).toMatch(/^sess_/);
  });

  it("begins a new conversation when the one before has expired", async () => {
    const sara = await linkedPerson();
    sara.says("one");
    await eventually(() => expect(finished(sara)).toHaveLength(1));
    stack.model.refusals.set(sara.chat.id, { status: 404, code: "not_found", times: 1 });
    sara.says("two");
    await eventually(() => expect(texts(sara)).toEqual(["Echo: one", "Echo: two"]));
    expect(turnsOf(sara).at(-1)?.sessionId).toBeNull();
  });

  it("is split where it is too long for a message, and keeps its code blocks whole", async () => {
    const sara = await linkedPerson();
    const code = Array.from({ length: 120 }, (_, i) => `line_${i} = ${i}`).join("\n");
    stack.model.scripts.set(sara.chat.id, async function* () {
      yield `${"Some words. ".repeat(300)}\n\n\`\`\`python\n${code}\n\`\`\`\n\nThe end.`;
    });
    sara.says("a long one");
    await eventually(() => expect(texts(sara).at(-1)).toContain("The end."));
    const [, second] = answers(sara);
    expect(answers(sara)).toHaveLength(2);
    const block = second?.entities.find((one) => one.type === "pre");
    expect(second?.text?.slice(block?.offset, (block?.offset ?? 0) + (block?.length ?? 0))).toBe(
      code,
    );
  });

  it("comes as a file where it is very long", async () => {
    const sara = await linkedPerson();
    const long = `# Everything\n\n${"A paragraph of words that goes on. ".repeat(100)}\n\n`.repeat(
      8,
    );
    stack.model.scripts.set(sara.chat.id, async function* () {
      yield long;
    });
    sara.says("everything");
    await eventually(() => expect(answers(sara).some((message) => message.document)).toBe(true));
    const [preview, file] = answers(sara);
    expect(preview?.text).toContain("in the file");
    expect(file?.document?.file_name).toBe("answer.md");
    expect(new TextDecoder().decode(file?.document?.bytes)).toBe(long.trim());
    expect(answers(sara)).toHaveLength(2);
  });

  it("arrives in plain text when Telegram refuses its formatting", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* () {
      yield "**bold**";
    });
    stack.telegram.fail({
      method: "editMessageText",
      chatId: sara.chat.id,
      times: 1,
      status: 400,
      description: "Bad Request: can't parse entities: no",
    });
    sara.says("x");
    await eventually(() => expect(finished(sara)).toMatchObject([{ text: "bold", entities: [] }]));
  });

  it("arrives whole through any number of 429s, and never before the time is over", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      for (let i = 0; i < 4; i++) {
        yield `part ${i} `;
        await pause(700, signal);
      }
    });
    const limited = {
      status: 429,
      description: "Too Many Requests: retry after 2",
      parameters: { retry_after: 2 },
    };
    stack.telegram.fail({ method: "sendMessage", chatId: sara.chat.id, ...limited });
    stack.telegram.fail({ method: "editMessageText", chatId: sara.chat.id, times: 2, ...limited });
    sara.says("x");
    await eventually(() =>
      expect(finished(sara)).toMatchObject([{ text: "part 0 part 1 part 2 part 3" }]),
    );
    expect(answers(sara)).toHaveLength(1);
    const calls = stack.telegram.calls.filter(
      (call) => Number(call.params["chat_id"]) === sara.chat.id,
    );
    for (const [index, call] of calls.entries()) {
      const next = calls[index + 1];
      if (call.status === 429 && next) expect(next.at - call.at).toBeGreaterThanOrEqual(1990);
    }
  });

  it("is sent anew when somebody deleted its message meanwhile", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      yield "still ";
      await pause(2500, signal);
      yield "here";
    });
    sara.says("x");
    const placeholder = await eventually(
      () => answers(sara)[0] ?? Promise.reject(new Error("no message yet")),
    );
    sara.chat.messages.delete(placeholder.message_id);
    await eventually(() => expect(texts(sara)).toEqual(["still here"]));
  });
});

describe.concurrent("order", () => {
  it("answers one message at a time, each once, in the order of the chat, however they are delivered", async () => {
    const sara = await linkedPerson();
    let atOnce = 0;
    let most = 0;
    stack.model.scripts.set(sara.chat.id, async function* (turn, signal) {
      most = Math.max(most, ++atOnce);
      await pause(textOf(turn.message) === "first" ? 1500 : 50, signal);
      yield `re: ${textOf(turn.message)}`;
      atOnce--;
    });
    const updates = ["first", "second", "third", "fourth"].map((text) => sara.writes(text));
    const [first, second, third, fourth] = updates;
    expect((await stack.post(first)).status).toBe(200);
    await eventually(() => expect(turnsOf(sara)).toHaveLength(1));
    const statuses = await Promise.all(
      [fourth, second, fourth, third, first, second, third, first].map(
        async (update) => (await stack.post(update)).status,
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    const expected = ["re: first", "re: second", "re: third", "re: fourth"];
    await eventually(() => expect(finished(sara).map((message) => message.text)).toEqual(expected));
    for (const update of [...updates].reverse()) await stack.post(update);
    sara.says("last");
    await eventually(() =>
      expect(finished(sara).map((message) => message.text)).toEqual([...expected, "re: last"]),
    );
    expect(most).toBe(1);
  });

  it("takes a lower update_id than the last one for what it is, a new update", async () => {
    const sara = await linkedPerson();
    const [high, low] = [sara.writes("after a while"), sara.writes("and another")];
    await stack.post({ ...high, update_id: 900_000_000 });
    await stack.post({ ...low, update_id: 17 });
    await eventually(() => expect(finished(sara)).toHaveLength(2));
  });

  it("ignores edited messages", async () => {
    const sara = await linkedPerson();
    const update = sara.writes("hello");
    await stack.post(update);
    await eventually(() => expect(finished(sara)).toHaveLength(1));
    const own = [...sara.chat.messages.values()].find((message) => message.text === "hello");
    sara.edits(own?.message_id ?? 0, "changed");
    sara.says("marker");
    await eventually(() => expect(texts(sara)).toEqual(["Echo: hello", "Echo: marker"]));
  });
});

describe.concurrent("stopping", () => {
  const slow = async function* (_turn: AskedTurn, signal: AbortSignal) {
    yield "The beginning";
    await pause(60_000, signal);
    yield " and the end";
  };

  it("by the button ends the answer, keeps what was written, and passes what waits", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, slow);
    sara.says("tell me");
    await eventually(() => expect(texts(sara)).toEqual(["The beginning"]));
    stack.model.scripts.delete(sara.chat.id);
    sara.says("next");
    const tap = sara.taps("⏹ Stop");
    await eventually(() => expect(texts(sara)).toEqual(["The beginning", "Echo: next"]));
    expect(stack.telegram.world.answeredCallbacks.get(tap.callbackId)).toMatchObject({
      text: "Stopping…",
    });
    expect(finished(sara)).toHaveLength(2);
    expect(turnsOf(sara)[0]?.cancelled).toBe(true);
    expect(turnsOf(sara)[1]?.sessionId).toMatch(/^sess_/);
  });

  it("by /stop overtakes everything that waits", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, slow);
    sara.says("tell me");
    sara.says("and this later");
    await eventually(() => expect(texts(sara)).toEqual(["The beginning"]));
    stack.model.scripts.delete(sara.chat.id);
    sara.says("/stop");
    await eventually(() =>
      expect(
        finished(sara)
          .map((message) => message.text)
          .sort(),
      ).toEqual(["Echo: and this later", "Stopped.", "The beginning"]),
    );
  });

  it("before the first word says so, and with nothing to stop says that", async () => {
    const sara = await linkedPerson();
    sara.says("/stop");
    await eventually(() => expect(texts(sara)).toEqual(["There is nothing to stop."]));
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      await pause(60_000, signal);
      yield "never";
    });
    sara.says("tell me");
    await eventually(() => expect(turnsOf(sara)).toHaveLength(1));
    sara.taps("⏹ Stop");
    await eventually(() => expect(finished(sara).at(-1)?.text).toBe("Stopped."));
  });
});

describe.concurrent("buttons beside a running answer", () => {
  it("lose no write, and the answer loses nothing", async () => {
    const sara = await linkedPerson();
    sara.says("/model");
    await eventually(() => expect(answers(sara)).toHaveLength(1));
    sara.says("/settings");
    await eventually(() => expect(answers(sara)).toHaveLength(2));
    const [models, settings] = answers(sara);
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      yield "slowly";
      await pause(6000, signal);
      yield " done";
    });
    sara.says("go");
    await eventually(() => expect(texts(sara)[2]).toBe("slowly"));
    sara.taps("gpt-small", { message: models?.message_id ?? 0 });
    sara.taps("Deutsch", { message: settings?.message_id ?? 0 });
    await eventually(() => expect(texts(sara)[0]).toContain("gpt-small"));
    expect(texts(sara)[2]).toBe("slowly");
    await eventually(() => expect(finished(sara).at(-1)?.text).toBe("slowly done"));
    stack.model.scripts.delete(sara.chat.id);
    sara.says("again");
    await eventually(() => expect(texts(sara).at(-1)).toBe("Echo: again"));
    expect(turnsOf(sara).at(-1)?.model).toBe("gpt-small");
    expect(turnsOf(sara).at(-1)?.sessionId).toMatch(/^sess_/);
    sara.says("/new");
    await eventually(() => expect(texts(sara).at(-1)).toContain("neues Gespräch"));
  });

  it("of unknown kinds only stop waiting", async () => {
    const sara = await linkedPerson();
    sara.says("hi");
    const message = await eventually(
      () => finished(sara)[0] ?? Promise.reject(new Error("no answer yet")),
    );
    for (const data of [
      "model:0000000000000000",
      "lang:",
      "stop:999",
      "nonsense",
      "x".repeat(64),
    ]) {
      const tap = sara.tapsData(data, sara.chat, message);
      await eventually(() =>
        expect(stack.telegram.world.answeredCallbacks.has(tap.callbackId)).toBe(true),
      );
    }
  });
});

describe.concurrent("photos", () => {
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1, 2, 3, 4, 5, 6, 7, 8]);

  it("go to the model as images, with their caption as the question", async () => {
    const sara = await linkedPerson();
    sara.sendsPhoto(png, { caption: "what is it?" });
    await eventually(() => expect(texts(sara)).toEqual(["Echo: what is it?"]));
    expect(turnsOf(sara)[0]?.message).toEqual([
      { type: "text", text: "what is it?" },
      {
        type: "image_url",
        image_url: { url: `data:image/png;base64,${Buffer.from(png).toString("base64")}` },
      },
    ]);
  });

  it("that Telegram does not give are told in a sentence that holds no address and no token", async () => {
    const sara = await linkedPerson();
    sara.sendsPhoto(png, { lost: true });
    await eventually(() =>
      expect(texts(sara)).toEqual([
        "I could not fetch this photo from Telegram; please send it again.",
      ]),
    );
    expect(stack.logs.includes(stack.telegram.token)).toBe(false);
  });
});

describe.concurrent("what goes wrong", () => {
  it("at the model's end is told in one sentence with the request id, after what came of the answer", async () => {
    const sara = await linkedPerson({ language_code: "de" });
    stack.model.scripts.set(sara.chat.id, async function* () {
      yield "Half an answer";
      yield { problem: "stream_cut" };
    });
    sara.says("x");
    await eventually(() =>
      expect(finished(sara)[0]?.text).toMatch(
        /^Half an answer\n\nDie Antwort ist hier abgebrochen; .*\nAnfragekennung: req_scripted$/,
      ),
    );
    stack.model.refusals.set(sara.chat.id, { status: 503, code: "provider_overloaded", times: 1 });
    sara.says("y");
    await eventually(() =>
      expect(finished(sara)[1]?.text).toMatch(
        /^Das Modell ist überlastet; .*\nAnfragekennung: req_scripted$/,
      ),
    );
  });

  it("in an update of impossible shape ends in one apology, and holds nobody up", async () => {
    const sara = await linkedPerson();
    const poison = sara.writes("poison");
    Object.assign(poison["message"] as object, { entities: [null] }); // writes always makes a message
    await stack.post(poison);
    sara.says("are you there?");
    await eventually(() => expect(texts(sara).at(-1)).toBe("Echo: are you there?"));
    expect(texts(sara)[0]).toMatch(
      /^Sorry, I could not answer this message\.\nRequest id: req_\w+$/,
    );
    expect(texts(sara)).toHaveLength(2);
  });

  it("with too many waiting messages is said once, and those that were taken are answered", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      await pause(60_000, signal);
      yield "x";
    });
    const updates = Array.from({ length: 55 }, (_, i) => sara.writes(`m${i}`));
    for (const update of updates) expect((await stack.post(update)).status).toBe(200);
    await eventually(() =>
      expect(texts(sara).filter((text) => text?.startsWith("More than 50"))).toHaveLength(1),
    );
    sara.blocks();
  });
});

describe.concurrent("a chat that cannot be written to", () => {
  it("gets nothing more, loses what waits, and is served again once it writes", async () => {
    const sara = await linkedPerson();
    stack.model.scripts.set(sara.chat.id, async function* (_turn, signal) {
      yield "some";
      await pause(1500, signal);
      yield "thing";
    });
    sara.says("one");
    sara.says("two");
    await eventually(() => expect(texts(sara)[0]).toBe("some"));
    sara.blocks();
    await eventually(async () =>
      expect(
        await stack.sql(
          "SELECT 1 FROM telegram_links WHERE chat_id = $1 AND blocked_at IS NOT NULL",
          [sara.chat.id],
        ),
      ).toHaveLength(1),
    );
    await eventually(() => expect(turnsOf(sara)[0]?.cancelled).toBe(true));
    const refused = stack.telegram.calls.filter(
      (call) => Number(call.params["chat_id"]) === sara.chat.id && call.status === 403,
    );
    expect(refused.length).toBeLessThanOrEqual(2);
    stack.model.scripts.delete(sara.chat.id);
    sara.unblocks();
    sara.says("back");
    await eventually(() => expect(finished(sara).at(-1)?.text).toBe("Echo: back"));
    expect(turnsOf(sara).map((turn) => turn.message)).toEqual(["one", "back"]);
    await eventually(async () =>
      expect(
        await stack.sql("SELECT 1 FROM telegram_links WHERE chat_id = $1 AND blocked_at IS NULL", [
          sara.chat.id,
        ]),
      ).toHaveLength(1),
    );
  });
});
