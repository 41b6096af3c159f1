import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { expectProblem } from "#test/api/problem.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { Fault } from "#test/providers/fault.ts";
import {
  deltasOf,
  readTurn,
  type SessionStack,
  startSessions,
  type TurnEvent,
} from "#test/sessions/session-stack.ts";
import { startWithSkills } from "./skills-stack.ts";

/** Skills as tools of the chat model: the loop in the gateway, and what models and clients do to it. */

const HONDA = "1HGCM82633A004352";
let sessions: SessionStack;
let round = 0;

beforeAll(async () => {
  sessions = await startSessions(inject("postgres"), {
    start: ({ postgres, ...options }) => startWithSkills(postgres, options),
  });
});
afterAll(() => sessions?.stop());

interface Message {
  role: string;
  content: string | null;
  tool_calls?: { id: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}
type Call = NonNullable<Fault["toolCalls"]>[number];

const call = (name: string, input: object): Call => ({ name, arguments: JSON.stringify(input) });
const count = (text: string) => call("text_count", { text });
const misbehave = (how: string) => call("test_misbehave", { how });
/** A model that does these one after the other, the last one from then on. */
async function modelThat(...answers: Fault[]): Promise<string> {
  const model = await sessions.model({});
  sessions.provider.script(
    model,
    (earlier) => answers[Math.min(earlier, answers.length - 1)] ?? {},
  );
  return model;
}
/** What the provider was sent for a model, request by request. */
const sent = (model: string) =>
  sessions.provider.requestsFor(model).map(({ body }) => ({
    messages: body?.["messages"] as Message[], // as our gateway sends them
    tools: (body?.["tools"] as { function: { name: string } }[] | undefined)?.map(
      (tool) => tool.function.name,
    ),
    choice: body?.["tool_choice"],
  }));
/** What the model was told of its calls, in its last request. */
const results = (model: string) =>
  (sent(model).at(-1)?.messages ?? [])
    .filter(({ role }) => role === "tool")
    .map(({ content }) => JSON.parse(content ?? "") as Record<string, unknown>);
const toolEvents = (events: TurnEvent[]) =>
  events.filter(({ event }) => event === "tool").map(({ data }) => data);
const stream = async (body: object) =>
  readTurn(await sessions.client.request("POST", "/v1/chat", { ...body, stream: true }));
const text = () => `words number ${++round}`;

describe("a model that calls a skill", () => {
  test.each([false, true])(
    "is told what it answers and goes on, streamed: %s",
    async (streamed) => {
      const model = await modelThat({ toolCalls: [count("a b c")], pieces: ["Let me count."] }, {});
      const message = text();
      const events = streamed ? await stream({ message, model }) : [];
      const done = streamed ? events.at(-1)?.data : await sessions.talk({ message, model });
      const [first, second] = sent(model);
      expect(first?.tools).toEqual(expect.arrayContaining(["vin_decode", "text_count"]));
      expect(first?.messages).toEqual([{ role: "user", content: message }]);
      expect(second?.messages.slice(1)).toMatchObject([
        {
          role: "assistant",
          content: "Let me count.",
          tool_calls: [
            { id: "call_1", function: { name: "text_count", arguments: '{"text":"a b c"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_1" },
      ]);
      expect(results(model)).toEqual([
        {
          ok: true,
          source: expect.stringContaining("text.count"),
          data: { words: 3, characters: 5 },
        },
      ]);
      expect(done).toMatchObject({
        reply: expect.stringMatching(/^Let me count\.\n\nThe tool said: /),
        finish_reason: "stop",
        model,
      });
      if (!streamed) return;
      expect(toolEvents(events)).toEqual([
        { name: "text.count", state: "running" },
        { name: "text.count", state: "done" },
      ]);
      expect(deltasOf(events)).toBe(done?.["reply"]);
      const order = events.map(({ event, data }) => (event === "tool" ? data["state"] : event));
      expect(order.indexOf("delta")).toBeLessThan(order.indexOf("running"));
      expect(order.indexOf("done")).toBeLessThan(order.lastIndexOf("delta"));
    },
  );

  test("is charged for each of its calls and for the skill, and the answer says the sum", async () => {
    const model = await modelThat({ toolCalls: [misbehave("answer")] }, {});
    const { session_id, usage } = await sessions.talk({ message: text(), model });
    const records = await eventually(async () => {
      const rows = await sessions.stack.sql<{ model: string; cost_micros: number; id: string }>(
        `SELECT id, model, status, cost_micros::int AS cost_micros FROM usage_records WHERE session_id = $1 ORDER BY at, id`,
        [session_id],
      );
      expect(rows).toHaveLength(3);
      return rows;
    });
    expect(records.map((record) => record.model).sort()).toEqual(
      [model, model, "skill:test.misbehave"].sort(),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(3);
    const sum = records.reduce((total, { cost_micros: micros }) => total + micros, 0);
    expect(usage.cost).toBe((sum / 1_000_000).toFixed(6));
    expect(sum).toBeGreaterThan(10_000);
  });

  test("may call several at once, and gets each result under its own call", async () => {
    const calls = [count("a"), misbehave("throw"), count("a b"), misbehave("answer")];
    const model = await modelThat({ toolCalls: calls }, {});
    const events = await stream({ message: text(), model });
    const messages = sent(model).at(-1)?.messages ?? [];
    const [, said, ...answers] = messages;
    expect(answers.map((answer) => answer.tool_call_id)).toEqual(
      said?.tool_calls?.map(({ id }) => id),
    );
    expect(results(model)).toMatchObject([
      { ok: true, data: { words: 1 } },
      { ok: false, error: { code: "internal_error" } },
      { ok: true, data: { words: 2 } },
      { ok: true, data: { text: "fine" } },
    ]);
    expect(JSON.stringify(messages)).not.toContain("secret-of-the-inside");
    const states = toolEvents(events).map(({ name, state }) => `${String(name)} ${String(state)}`);
    expect(states.slice(4).sort()).toEqual([
      "test.misbehave done",
      "test.misbehave failed",
      "text.count done",
      "text.count done",
    ]);
  });

  test.each([
    [
      "arguments that are no JSON",
      { name: "text_count", arguments: '{"text": "a' },
      "validation_failed",
    ],
    ["arguments of a wrong type", call("text_count", { text: 5 }), "validation_failed"],
    ["no arguments at all", { name: "text_count", arguments: "" }, "validation_failed"],
    ["a tool that there is not", call("rm_rf", {}), "not_found"],
    ["a tool by the skill's own name", call("text.count", { text: "a" }), "not_found"],
    ["a tool that it was not offered", call("test_change", { to: "x" }), "not_found"],
    ["a name from the prototype", call("__proto__", {}), "not_found"],
  ])("with %s is told so, and may try again", async (_, wrong, code) => {
    const model = await modelThat({ toolCalls: [wrong] }, { toolCalls: [count("a b")] }, {});
    const answer = await sessions.talk({ message: text(), model });
    expect(answer.finish_reason).toBe("stop");
    expect(results(model)).toMatchObject([{ ok: false, error: { code } }, { ok: true }]);
    // What goes back is what every provider takes.
    for (const { tool_calls: calls = [] } of sent(model).at(-1)?.messages ?? [])
      for (const one of calls)
        expect(() => JSON.parse(one.function.arguments) as object).not.toThrow();
  });

  test("gets the fault of each field", async () => {
    const model = await modelThat({ toolCalls: [call("text_count", { txt: "a" })] }, {});
    await sessions.talk({ message: text(), model });
    const [{ error } = { error: null }] = results(model);
    expect(error).toMatchObject({
      errors: expect.arrayContaining([expect.objectContaining({ path: "text" })]),
    });
  });

  test("that hangs is told so when the time of the skill is up", async () => {
    const model = await modelThat({ toolCalls: [misbehave("hang")] }, {});
    const events = await stream({ message: text(), model });
    expect(results(model)).toMatchObject([{ ok: false, error: { code: "unavailable" } }]);
    expect(events.at(-1)?.event).toBe("done");
  });

  test("gets the beginning of a result that is too long", async () => {
    const model = await modelThat({ toolCalls: [misbehave("flood")] }, {});
    await sessions.talk({ message: text(), model });
    const [result] = results(model);
    expect(result).toMatchObject({ ok: true, cut: expect.stringContaining("beginning") });
    expect(JSON.stringify(result).length).toBeLessThan(60_000);
  });

  test("never ends to call is made to answer, within the bound", async () => {
    const model = await modelThat({ toolCalls: [count("a")] });
    const events = await stream({ message: text(), model });
    const requests = sent(model);
    expect(requests).toHaveLength(6);
    expect(requests.map(({ choice }) => choice)).toEqual([...Array(5).fill(undefined), "none"]);
    expect(events.at(-1)?.event).toBe("done");
    expect(toolEvents(events).filter(({ state }) => state === "done")).toHaveLength(5);
  });

  test("calls too many at once is told which were not made", async () => {
    const calls = Array.from({ length: 30 }, (_, index) => count(`a ${index}`));
    const model = await modelThat({ toolCalls: calls }, {});
    await sessions.talk({ message: text(), model });
    const told = results(model);
    expect(told).toHaveLength(30);
    expect(told.filter(({ ok }) => ok)).toHaveLength(8);
  });
});

describe("the rights of a model", () => {
  test("are those of the caller: without the scope it is offered nothing", async () => {
    const { key } = await sessions.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "chat only",
      scopes: ["chat"],
    });
    const model = await modelThat({ toolCalls: [count("a")] }, {});
    const body = { message: text(), model };
    await sessions.stack.client(key).expect(200, "POST", "/v1/chat", body);
    expect(sent(model)[0]?.tools).toBeUndefined();
    expect(sent(model)).toHaveLength(1);
  });

  test("do not grow by what a result says", async () => {
    const before = sessions.stack.logs.entries.filter(
      ({ event }) => event === "test_changed",
    ).length;
    const model = await modelThat(
      { toolCalls: [misbehave("inject")] },
      { toolCalls: [call("test_change", { to: "hacked" })] },
      {},
    );
    await sessions.talk({ message: text(), model });
    expect(results(model)).toMatchObject([
      { ok: true, source: expect.stringContaining("no instructions") },
      { ok: false, error: { code: "not_found" } },
    ]);
    const after = sessions.stack.logs.entries.filter(
      ({ event }) => event === "test_changed",
    ).length;
    expect(after).toBe(before);
  });

  test("to change something come by name, and end where the caller's end", async () => {
    const model = await modelThat({ toolCalls: [call("test_change", { to: "new" })] }, {});
    await sessions.talk({ message: text(), model, skills: ["test.change"] });
    expect(sent(model)[0]?.tools).toEqual(["test_change"]);
    expect(results(model)).toMatchObject([{ ok: true, data: { changed_to: "new" } }]);
    const { key } = await sessions.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "no admin",
      scopes: ["chat", "skills"],
    });
    const other = await modelThat({});
    const body = { message: text(), model: other, skills: ["test.change"] };
    await sessions.stack.client(key).expect(200, "POST", "/v1/chat", body);
    expect(sent(other)[0]?.tools).toBeUndefined();
  });

  test("may be none, and a skill that there is not is refused", async () => {
    const model = await modelThat({});
    await sessions.talk({ message: text(), model, skills: [] });
    expect(sent(model)[0]?.tools).toBeUndefined();
    const body = { message: text(), model, skills: ["text.count", "none"] };
    const problem = await expectProblem(
      await sessions.client.request("POST", "/v1/chat", body),
      422,
      "validation_failed",
    );
    expect(problem.errors?.map(({ path }) => path)).toEqual(["skills.1"]);
  });

  test("end within a second where the team switches a skill off", async () => {
    await sessions.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: false });
    try {
      await eventually(async () => {
        const model = await modelThat({});
        await sessions.talk({ message: text(), model });
        expect(sent(model)[0]?.tools).not.toContain("text_count");
      });
    } finally {
      await sessions.client.expect(200, "PUT", "/v1/skills/text.count", { enabled: true });
    }
    await eventually(async () => {
      const model = await modelThat({});
      await sessions.talk({ message: text(), model });
      expect(sent(model)[0]?.tools).toContain("text_count");
    });
  });
});

describe("a model without tools", () => {
  test.each([
    ["a sentence about tools", 400, '{"error":{"message":"this model does not support tools"}}'],
    [
      "404, as a router does",
      404,
      '{"error":{"message":"No endpoints found that support tool use"}}',
    ],
  ])("that refuses them by %s answers without, and is remembered", async (_, status, body) => {
    const model = await modelThat({ status, body, contentType: "application/json" }, {});
    const message = text();
    const answer = await sessions.talk({ message, model });
    expect(answer.reply).toBe(`You said: ${message}`);
    expect(sent(model).map(({ tools }) => tools !== undefined)).toEqual([true, false]);
    await sessions.talk({ message: text(), model });
    expect(sent(model)[2]?.tools).toBeUndefined();
  });

  test("is not suspected where it refuses something else", async () => {
    const body = '{"error":{"message":"the temperature is too high"}}';
    const model = await modelThat({ status: 400, body, contentType: "application/json" }, {});
    const refused = await sessions.client.request("POST", "/v1/chat", { message: text(), model });
    await expectProblem(refused, 400, "invalid_request");
    expect(sent(model)).toHaveLength(1);
  });
});

describe("the history of a session", () => {
  test("keeps calls with their results, and nobody but the model sees them", async () => {
    const model = await modelThat({ toolCalls: [count("a b")], pieces: ["Wait."] }, {}, {});
    const message = text();
    const { session_id, reply } = await sessions.talk({ message, model });
    await sessions.talk({ session_id, message: "And now?" });
    expect(sent(model)[2]?.messages).toMatchObject([
      { role: "user", content: message },
      { role: "assistant", content: null, tool_calls: [{ id: "call_1" }] },
      { role: "tool", tool_call_id: "call_1" },
      { role: "assistant", content: reply },
      { role: "user", content: "And now?" },
    ]);
    const history = await sessions.history(session_id);
    expect(history.map(([role]) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(history[1]).toEqual(["assistant", reply]);
  });

  test("shows no calls to a model that is offered no tools", async () => {
    const model = await modelThat({ toolCalls: [count("a b")] }, {}, {});
    const { session_id } = await sessions.talk({ message: text(), model });
    await sessions.talk({ session_id, message: "And now?", skills: [] });
    const roles = sent(model)[2]?.messages.map(({ role, tool_calls: calls }) => [role, calls]);
    expect(roles).toEqual([
      ["user", undefined],
      ["assistant", undefined],
      ["user", undefined],
    ]);
  });

  test("that is too long lets calls go whole: none is ever without its result", async () => {
    const model = await modelThat(
      ...Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0 ? { toolCalls: [count("word ".repeat(150)), count("b")] } : {},
      ),
    );
    await sessions.stack.admin.expect(200, "PUT", `/v1/admin/models/${model}`, {
      targets: [{ provider: "provider-30000", model }],
      context_tokens: 4_000,
    });
    let session_id: string | null = null;
    for (let turn = 0; turn < 10; turn++) {
      const answer: { session_id: string } = await sessions.talk({
        session_id,
        message: text(),
        model,
        skills: ["text.count"],
      });
      session_id = answer.session_id;
    }
    const requests = sent(model);
    let withCalls = 0;
    for (const { messages } of requests) {
      const open = new Set<string>();
      for (const { role, tool_calls: calls = [], tool_call_id: id } of messages) {
        if (role !== "tool") expect(open.size).toBe(0);
        for (const one of calls) open.add(one.id);
        if (role === "tool") expect(open.delete(id ?? "")).toBe(true);
        withCalls += calls.length;
      }
      expect(open.size).toBe(0);
      expect(messages[0]?.role).toBe("user");
    }
    expect(withCalls).toBeGreaterThan(20);
    const whole = requests.at(-1)?.messages.filter(({ role }) => role === "user").length ?? 0;
    const calls = requests.at(-1)?.messages.filter(({ tool_calls: one }) => one).length ?? 0;
    expect(calls).toBeLessThan(whole);
  });

  test("of a turn that fails after a call keeps nothing", async () => {
    const model = await modelThat({ toolCalls: [count("a b")] }, { status: 500 });
    const { session_id } = await sessions.talk({ message: "Hello", model: await modelThat({}) });
    const body = { session_id, message: text(), model };
    await expectProblem(
      await sessions.client.request("POST", "/v1/chat", body),
      502,
      "provider_error",
    );
    expect(await sessions.history(session_id)).toHaveLength(2);
    const again = await modelThat({ toolCalls: [count("a b")] }, { status: 500 });
    const events = await stream({ ...body, model: again });
    expect(events.at(-1)?.event).toBe("error");
    expect(await sessions.history(session_id)).toHaveLength(2);
    await sessions.talk({ session_id, message: "Still there?", model: await modelThat({}) });
  });
});

describe("a client that hangs up", () => {
  test("while a skill runs ends the skill, and the session is free again", async () => {
    const model = await modelThat({ toolCalls: [misbehave("heed")], pieces: ["Wait."] }, {});
    const gone = new AbortController();
    const body = { message: text(), model, stream: true };
    const response = await sessions.client.request("POST", "/v1/chat", body, {}, gone.signal);
    const session_id = response.headers.get("x-session-id") ?? "";
    const heeded = () =>
      sessions.stack.logs.entries.filter(({ event }) => event === "misbehave_heeded").length;
    const before = heeded();
    await readTurn(response, (events) => {
      if (!events.some(({ event }) => event === "tool")) return false;
      gone.abort();
      return true;
    }).catch(() => undefined); // the reading is what was aborted
    await eventually(() => expect(heeded()).toBe(before + 1));
    await eventually(async () => {
      const answer = await sessions.talk({ session_id, message: "Again", model: "builtin" });
      expect(answer.finish_reason).toBe("stop");
    });
  });
});

describe("the builtin model", () => {
  test("reads a VIN that is all of a message, and tells what it says", async () => {
    const events = await stream({ message: HONDA, model: "builtin" });
    expect(toolEvents(events)).toEqual([
      { name: "vin.decode", state: "running" },
      { name: "vin.decode", state: "done" },
    ]);
    const reply = String(events.at(-1)?.data["reply"]);
    expect(reply).toContain("Honda Accord");
    expect(reply).toContain("stand-in");
    const plain = await sessions.talk({ message: "Hello there", model: "builtin" });
    expect(plain.reply).toContain("Hello there");
  });
});

test("a client of the OpenAI-compatible path brings its own tools, and gets its own calls back", async () => {
  const model = await modelThat({ toolCalls: [count("a")] });
  const tools = [
    {
      type: "function",
      function: { name: "text_count", parameters: { type: "object", properties: {} } },
    },
  ];
  const answer = await sessions.chat({ model, messages: [{ role: "user", content: "Hi" }], tools });
  const body = (await answer.json()) as { choices: { message: Message; finish_reason: string }[] };
  expect(body.choices[0]?.finish_reason).toBe("tool_calls");
  expect(body.choices[0]?.message.tool_calls?.[0]?.function.name).toBe("text_count");
  expect(sent(model)).toHaveLength(1);
});
