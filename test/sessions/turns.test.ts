import { newId } from "#core/kernel/ids.ts";
import { eventually } from "#test/harness/eventually.ts";
import { expectInvalid, expectProblem } from "#test/api/problem.ts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { deltasOf, readTurn, type SessionStack, startSessions } from "./session-stack.ts";

let sessions: SessionStack;

beforeAll(async () => {
  sessions = await startSessions(inject("postgres"));
});
afterAll(() => sessions?.stop());

const post = (body: object, headers?: Record<string, string>, signal?: AbortSignal) =>
  sessions.client.request("POST", "/v1/chat", body, headers, signal);

describe("a turn", () => {
  test("makes a session, answers from the model, and the next one knows what was said", async () => {
    const model = await sessions.model({});
    const first = await sessions.talk({ message: "My name is Ada", model });
    expect(first).toEqual({
      session_id: expect.stringMatching(/^sess_[0-9a-z]{26}$/),
      message_id: expect.stringMatching(/^msg_[0-9a-z]{26}$/),
      reply: "You said: My name is Ada",
      model,
      finish_reason: "stop",
      usage: { input_tokens: 11, output_tokens: 6, cost: "0.000023" },
    });
    const { session_id } = first;
    const second = await sessions.talk({ session_id, message: "Who am I?" });
    expect(second).toMatchObject({ session_id, model, reply: "You said: Who am I?" });
    const said = [
      ["user", "My name is Ada"],
      ["assistant", "You said: My name is Ada"],
      ["user", "Who am I?"],
    ];
    expect(sessions.prompts(model)[1]).toEqual(said);
    expect(await sessions.history(session_id)).toEqual([
      ...said,
      ["assistant", "You said: Who am I?"],
    ]);
  });

  test("without a model goes to the default one, and null is the same as no session", async () => {
    const answer = await sessions.talk({ message: "Hello", session_id: null, stream: false });
    expect(answer.model).toBe("builtin");
    expect(answer.reply).not.toBe("");
    const session = await sessions.client.expect(200, "GET", `/v1/sessions/${answer.session_id}`);
    expect(session).toMatchObject({ model: "builtin", messages: 2, system: null, title: null });
  });

  test("is one usage record with its session and end user", async () => {
    const model = await sessions.model({});
    const { session_id } = await sessions.talk({ message: "Hi", model, user: "ada@example.com" });
    await sessions.talk({ message: "Hi", session_id }, { "x-end-user": "grace" });
    const records = await sessions.turnRecords(model, 2);
    expect(records).toMatchObject([
      { session_id, end_user: "ada@example.com", status: 200, input_tokens: 11, estimated: false },
      { session_id, end_user: "grace", status: 200 },
    ]);
    const [row] = await sessions.stack.sql("SELECT * FROM sessions WHERE id = $1", [session_id]);
    expect(row).toMatchObject({ team_id: sessions.teamId, end_user: "ada@example.com", model });
    expect(row).toMatchObject({ messages: 4, input_tokens: 22 });
  });

  test("that names a model or a system prompt sets it for the turns after it, and null takes it back", async () => {
    const [one, other] = [await sessions.model({}), await sessions.model({})];
    const { session_id } = await sessions.talk({ message: "1", model: one, system: "Be brief." });
    await sessions.talk({ session_id, message: "2" });
    expect(sessions.prompts(one)[1]?.[0]).toEqual(["system", "Be brief."]);
    await sessions.talk({ session_id, message: "3", model: other, system: null });
    await sessions.talk({ session_id, message: "4" });
    expect(sessions.prompts(other)).toHaveLength(2);
    expect(sessions.prompts(other)[1]?.map(([role]) => role)).not.toContain("system");
    const back = await sessions.talk({ session_id, message: "5", model: null });
    expect(back.model).toBe("builtin");
  });

  test("that fails leaves model and system prompt as they were", async () => {
    const [good, bad] = [await sessions.model({}), await sessions.model({ status: 500 })];
    const { session_id } = await sessions.talk({ message: "1", model: good, system: "Stay." });
    await expectProblem(
      await post({ session_id, message: "2", model: bad, system: "Go." }),
      502,
      "provider_error",
    );
    await sessions.talk({ session_id, message: "3" });
    expect(sessions.prompts(good)[1]).toEqual([
      ["system", "Stay."],
      ["user", "1"],
      ["assistant", "You said: 1"],
      ["user", "3"],
    ]);
  });

  test("takes pictures, inline and by address, and still knows them in the next turn", async () => {
    const model = await sessions.model({});
    const inline = `data:image/png;base64,${Buffer.from("picture".repeat(100_000)).toString("base64")}`;
    const message = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: inline, detail: "low" } },
      { type: "image_url", image_url: { url: "https://example.com/cat.jpg" } },
    ];
    const { session_id, reply } = await sessions.talk({ message, model });
    expect(reply).toBe("You sent 2 images and said: What is this?");
    await sessions.talk({ session_id, message: "And its colour?" });
    expect(sessions.prompts(model)[1]?.[0]).toEqual(["user", message]);
    const [, listed] = (await sessions.history(session_id))[0] ?? [];
    expect(listed).toEqual([
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: null, media_type: "image/png", bytes: 700_000 } },
      { type: "image_url", image_url: { url: "https://example.com/cat.jpg" } },
    ]);
  });

  test("lets the oldest pictures go where they are many, and says that there was one", async () => {
    const model = await sessions.model({});
    const picture = (name: string) => {
      const bytes = Buffer.from(name.repeat(1_200_000 / name.length)).toString("base64");
      return [{ type: "image_url", image_url: { url: `data:image/png;base64,${bytes}` } }];
    };
    const { session_id } = await sessions.talk({ message: picture("one"), model });
    await sessions.talk({ session_id, message: picture("two") });
    await sessions.talk({ session_id, message: picture("six") });
    await sessions.talk({ session_id, message: "What was the first?" });
    const [last = []] = sessions.prompts(model).slice(-1);
    const said = last.filter(([role]) => role === "user").map(([, content]) => content);
    expect(said).toEqual([
      [{ type: "text", text: "[a picture that is not kept any more]" }],
      picture("two"),
      picture("six"),
      "What was the first?",
    ]);
  });

  test("keeps what every script and every sign says, longer than a row of the store holds", async () => {
    const reply = 'سلام 👋🏽 \u0000 "quoted" \\ \u2028 '.repeat(60_000);
    const model = await sessions.model({ pieces: [reply] });
    const { session_id, ...answer } = await sessions.talk({ message: "👩‍👩‍👧‍👦 درود", model });
    expect(answer.reply === reply).toBe(true);
    const [question, kept] = await sessions.history(session_id);
    expect(question).toEqual(["user", "👩‍👩‍👧‍👦 درود"]);
    expect(kept?.[1] === reply).toBe(true);
  });
});

describe("a streamed turn", () => {
  test("arrives as it is written, and ends with the whole answer", async () => {
    const model = await sessions.model({ pieces: ["a", "b", "c", "d"], eventDelayMs: 150 });
    const response = await post({ message: "Go", model, stream: true });
    const events = await readTurn(response);
    const done = events.at(-1);
    expect(events.map(({ event }) => event).slice(0, -1)).toEqual(Array(4).fill("delta"));
    expect(done).toMatchObject({
      event: "done",
      data: { reply: "abcd", finish_reason: "stop", model, usage: { output_tokens: 4 } },
    });
    expect((done?.at ?? 0) - (events[0]?.at ?? 0)).toBeGreaterThan(300);
    const sessionId = String(done?.data["session_id"]);
    expect(response.headers.get("x-session-id")).toBe(sessionId);
    expect(await sessions.history(sessionId)).toEqual([
      ["user", "Go"],
      ["assistant", "abcd"],
    ]);
    expect(await sessions.turnRecords(model, 1)).toMatchObject([
      { session_id: sessionId, status: 200 },
    ]);
  });

  test.each([
    ["cut", "stream_cut"],
    ["reset", "stream_cut"],
    ["clean_cut", "stream_cut"],
    ["error_event", "provider_error"],
  ] as const)(
    "whose provider breaks off (%s) ends with an error event, never done",
    async (ending, code) => {
      const fault = { pieces: ["half ", "of ", "it"], stopAfter: 2, ending };
      const model = await sessions.model(fault);
      const response = await post({ message: "Go", model, stream: true });
      const events = await readTurn(response);
      const requestId = response.headers.get("x-request-id");
      expect(events.at(-1)).toMatchObject({
        event: "error",
        data: { code, status: 502, request_id: requestId, detail: expect.any(String) },
      });
      expect(events.map(({ event }) => event)).not.toContain("done");
      const id = response.headers.get("x-session-id");
      await expectProblem(
        await sessions.client.request("GET", `/v1/sessions/${id}`),
        404,
        "not_found",
      );
      expect(await sessions.turnRecords(model, 1)).toMatchObject([
        { status: 502, error_code: code, session_id: id },
      ]);
    },
  );

  test("whose provider falls silent ends with an error, and the session goes on as it was", async () => {
    const model = await sessions.model(
      { pieces: ["half ", "of ", "it"], stopAfter: 2, ending: "silence" },
      { timeoutMs: 1_000 },
    );
    const { session_id } = await sessions.talk({ message: "Hello" });
    const before = await sessions.history(session_id);
    const events = await readTurn(await post({ session_id, message: "Go", model, stream: true }));
    expect(deltasOf(events)).toBe("half of ");
    expect(events.at(-1)).toMatchObject({ event: "error", data: { code: "provider_timeout" } });
    expect(await sessions.history(session_id)).toEqual(before);
    await sessions.talk({ session_id, message: "Still there?" });
  });

  test("whose client hangs up keeps what was generated so far, and accounts for it", async () => {
    const pieces = Array.from({ length: 200 }, (_, index) => `${index} `);
    const model = await sessions.model({ pieces, eventDelayMs: 50 });
    const hangUp = new AbortController();
    const response = await post({ message: "Count", model, stream: true }, {}, hangUp.signal);
    const sessionId = response.headers.get("x-session-id") ?? "";
    const seen = await readTurn(response, (events) => deltasOf(events).includes("5 "));
    hangUp.abort();
    await eventually(async () => expect(await sessions.history(sessionId)).toHaveLength(2));
    const [, answer] = await sessions.history(sessionId);
    expect(String(answer?.[1]).startsWith(deltasOf(seen))).toBe(true);
    expect(String(answer?.[1])).not.toContain("150 ");
    const { data } = await sessions.client.expect<{ data: { finish_reason: string }[] }>(
      200,
      "GET",
      `/v1/sessions/${sessionId}/messages`,
    );
    expect(data[0]?.finish_reason).toBe("aborted");
    await eventually(() =>
      expect(sessions.provider.requestsFor(model)[0]?.abortedAt).not.toBeNull(),
    );
    const [record] = await sessions.turnRecords(model, 1);
    expect(record).toMatchObject({ status: 499, error_code: "client_closed", estimated: true });
    expect(record?.session_id).toBe(sessionId);
    expect(record?.output_tokens).toBeGreaterThan(3);
    await sessions.talk({ session_id: sessionId, message: "Go on", model: null });
  });
});

describe("a turn that cannot be", () => {
  test("in an unknown session, another team's, or none at all, is not found", async () => {
    const { session_id } = await sessions.talk({ message: "Mine" });
    const stranger = (await sessions.stack.createTeam()).client;
    const answers = await Promise.all([
      stranger.request("POST", "/v1/chat", { session_id, message: "Hi" }),
      stranger.request("POST", "/v1/chat", { session_id, message: "Hi", model: "builtin" }),
      post({ session_id: newId("session"), message: "Hi" }),
      post({ session_id: newId("session"), message: "Hi", model: "builtin", stream: true }),
      post({ session_id: "sess_../../x\u0000", message: "Hi" }),
      post({ session_id: "", message: "Hi" }),
    ]);
    const bodies = await Promise.all(answers.map((a) => expectProblem(a, 404, "not_found")));
    expect(new Set(bodies.map((body) => body.detail)).size).toBe(1);
    expect(await sessions.history(session_id)).toHaveLength(2);
  });

  test("leaves no session when its model, its provider or its scope fails", async () => {
    const { rows } = await indexRows();
    const limited = await sessions.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "limited",
      models: ["builtin"],
    });
    const other = await sessions.model({});
    const noChat = await sessions.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "no chat",
      scopes: ["sessions"],
    });
    const of = (key: string) => sessions.stack.client(key);
    const turn = { message: "Hi", model: other };
    const path = "/v1/chat";
    const refused = await of(limited.key).request("POST", path, turn);
    await expectProblem(refused, 403, "model_not_allowed");
    await expectProblem(await of(noChat.key).request("POST", path, turn), 403, "missing_scope");
    await expectProblem(await post({ message: "Hi", model: "no-such" }), 404, "model_not_found");
    const faults = [
      [{ status: 429 }, 429, "provider_rate_limited"],
      [{ status: 503 }, 503, "provider_overloaded"],
      [{ contentType: "text/html", body: "<html>" }, 502, "provider_error"],
      [{ ending: "half_event" }, 502, "provider_error"],
      [{ connection: "close" }, 502, "provider_unreachable"],
    ] as const;
    const failed = faults.map(async ([fault, status, code]) => {
      const model = await sessions.model(fault);
      await expectProblem(await post({ message: "Hi", model }), status, code);
      expect(await sessions.turnRecords(model, 1)).toMatchObject([{ status, error_code: code }]);
    });
    await Promise.all(failed);
    expect((await indexRows()).rows).toBe(rows);
  });

  test("is refused by name when a field is wrong", async () => {
    const picture = (url: unknown) => [{ type: "image_url", image_url: { url } }];
    const wrong: [object, string][] = [
      [{}, "message"],
      [{ message: "" }, "message"],
      [{ message: " \n " }, "message"],
      [{ message: [] }, "message"],
      [{ message: 7 }, "message"],
      [{ message: "half of a pair: \ud83d" }, "message"],
      [{ message: "NUL \u0000" }, "message"],
      [{ message: picture("file:///etc/passwd") }, "message"],
      [{ message: picture("https://169.254.169.254/latest") }, "message"],
      [{ message: picture("https://user:pass@example.com/x.png") }, "message"],
      [{ message: picture("data:text/html;base64,AAAA") }, "message"],
      [{ message: [{ type: "file", file: {} }] }, "message"],
      [{ message: "x", model: "" }, "model"],
      [{ message: "x", model: ["builtin"] }, "model"],
      [{ message: "x", system: "s".repeat(32_001) }, "system"],
      [{ message: "x", stream: "yes" }, "stream"],
      [{ message: "x", user: "u".repeat(201) }, "user"],
      [{ message: "x", session_id: 5 }, "session_id"],
    ];
    for (const [body, path] of wrong) {
      const problem = await expectProblem(await post(body), 422, "validation_failed");
      const paths = problem.errors?.map((error) => error.path.split(".")[0]);
      expect(new Set(paths), JSON.stringify(body).slice(0, 80)).toEqual(new Set([path]));
    }
    await expectInvalid(await post({ message: "x", temperature: 1 }), "temperature");
    await expectProblem(
      await sessions.client.request("POST", "/v1/chat", "{not json"),
      400,
      "invalid_json",
    );
    await expectProblem(
      await post({ message: "x".repeat(10 * 1024 * 1024) }),
      413,
      "body_too_large",
    );
  });
});

async function indexRows(): Promise<{ rows: number }> {
  const [row] = await sessions.stack.sql<{ rows: number }>(
    "SELECT count(*)::int AS rows FROM sessions",
  );
  return row ?? { rows: -1 };
}
