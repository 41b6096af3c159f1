import { newId } from "#core/kernel/ids.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { expectInvalid, expectProblem } from "#test/api/problem.ts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  type ChatAnswer,
  type Listed,
  type MessageBody,
  type SessionBody,
  type SessionStack,
  startSessions,
} from "./session-stack.ts";

let sessions: SessionStack;

beforeAll(async () => {
  sessions = await startSessions(inject("postgres"));
});
afterAll(() => sessions?.stop());

const list = (client: ApiClient, query = "") =>
  client.expect<Listed<SessionBody>>(200, "GET", `/v1/sessions${query}`);
const read = (id: string) => sessions.client.expect<SessionBody>(200, "GET", `/v1/sessions/${id}`);

describe("the list of sessions", () => {
  test("is the team's own, the last used first, page by page, with titles", async () => {
    const { client } = await sessions.stack.createTeam();
    expect(await list(client)).toEqual({ data: [], next_cursor: null });
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      const answer = await client.expect<ChatAnswer>(200, "POST", "/v1/chat", { message: "Hi" });
      ids.unshift(answer.session_id);
      await client.expect(200, "PATCH", `/v1/sessions/${answer.session_id}`, {
        title: `Title ${index}`,
        system: "Secret prompt",
      });
    }
    const oldest = ids.pop() ?? "";
    await client.expect(200, "POST", "/v1/chat", { session_id: oldest, message: "Again" });
    ids.unshift(oldest);
    const seen: SessionBody[] = [];
    let cursor: string | null = null;
    do {
      const page: Listed<SessionBody> = await list(
        client,
        `?limit=3${cursor === null ? "" : `&cursor=${cursor}`}`,
      );
      expect(page.data.length).toBeLessThanOrEqual(3);
      seen.push(...page.data);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen.map(({ id }) => id)).toEqual(ids);
    expect(seen[0]).toMatchObject({ title: "Title 0", model: "builtin", messages: 4 });
    expect(JSON.stringify(seen)).not.toContain("Secret prompt");
    expect((await list(sessions.client, "?limit=200")).data.map(({ id }) => id)).not.toContain(
      oldest,
    );
  });

  test("can be of one end user", async () => {
    const { client } = await sessions.stack.createTeam();
    const talk = (user: string) =>
      client.expect<ChatAnswer>(200, "POST", "/v1/chat", { message: "Hi", user });
    const mine = [await talk("ada"), await talk("ada")].map((answer) => answer.session_id);
    await talk("grace");
    const { data } = await list(client, "?end_user=ada");
    expect(data.map(({ id }) => id)).toEqual(mine.reverse());
    expect(data.every((session) => session.end_user === "ada")).toBe(true);
    expect((await list(client, "?end_user=nobody")).data).toEqual([]);
    expect((await list(client, `?end_user=${encodeURIComponent("' OR 1=1 --")}`)).data).toEqual([]);
  });

  test("leaves out, and forgets, a row whose session is gone", async () => {
    const { client, teamId } = await sessions.stack.createTeam();
    const left = newId("session");
    await sessions.stack.sql("INSERT INTO sessions (id, team_id, model) VALUES ($1, $2, 'm')", [
      left,
      teamId,
    ]);
    expect(await list(client)).toEqual({ data: [], next_cursor: null });
    expect(await sessions.stack.sql("SELECT 1 FROM sessions WHERE id = $1", [left])).toEqual([]);
  });

  test("refuses pages and cursors that are none", async () => {
    const get = (query: string) => sessions.client.request("GET", `/v1/sessions?${query}`);
    await expectInvalid(await get("limit=0"), "limit");
    await expectInvalid(await get("limit=201"), "limit");
    await expectInvalid(await get("limit=many"), "limit");
    const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    for (const cursor of [
      "x",
      cursorOf(["2026"]),
      cursorOf([1e300, "sess"]),
      cursorOf([-1e15, 5]),
      cursorOf(["not a time", "sess_"]),
      cursorOf([1, "a\u0000b"]),
    ])
      await expectProblem(await get(`cursor=${cursor}`), 400, "invalid_request");
  });

  test("of a super admin is every team's, or that of the team that is named", async () => {
    const { client, teamId } = await sessions.stack.createTeam();
    const { session_id } = await client.expect<ChatAnswer>(200, "POST", "/v1/chat", {
      message: "Hi",
    });
    const ids = (answer: Listed<SessionBody>) => answer.data.map(({ id }) => id);
    expect(ids(await list(sessions.stack.admin))).toContain(session_id);
    const of = (team: string) =>
      sessions.stack.admin.expect<Listed<SessionBody>>(200, "GET", "/v1/sessions", undefined, {
        "x-team-id": team,
      });
    expect(ids(await of(teamId))).toEqual([session_id]);
    expect(ids(await of(sessions.teamId))).not.toContain(session_id);
    await sessions.stack.admin.expect(200, "GET", `/v1/sessions/${session_id}`);
    await expectProblem(
      await sessions.stack.admin.request("POST", "/v1/chat", { message: "For whom?" }),
      400,
      "invalid_request",
    );
  });
});

describe("a session", () => {
  test("shows what it is, and takes title, model and prompt, which null takes back", async () => {
    const model = await sessions.model({});
    const { session_id: id } = await sessions.talk({ message: "Hi", user: "ada" });
    const made = await read(id);
    expect(made).toEqual({
      id,
      team_id: sessions.teamId,
      key_id: sessions.keyId,
      end_user: "ada",
      title: null,
      model: "builtin",
      system: null,
      messages: 2,
      usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
      created_at: expect.stringMatching(/Z$/),
      last_active_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
    });
    expect(Date.parse(made.expires_at) - Date.parse(made.last_active_at)).toBe(30 * 86_400_000);
    const patch = (body: object) =>
      sessions.client.expect<SessionBody>(200, "PATCH", `/v1/sessions/${id}`, body);
    const changed = await patch({ title: "  A title ", model, system: "Be\nbrief." });
    expect(changed).toMatchObject({ title: "A title", model, system: "Be\nbrief." });
    expect(await patch({})).toMatchObject({ title: "A title", model, system: "Be\nbrief." });
    await sessions.talk({ session_id: id, message: "Next" });
    expect(sessions.prompts(model)[0]?.[0]).toEqual(["system", "Be\nbrief."]);
    const cleared = await patch({ title: null, model: null, system: null });
    expect(cleared).toMatchObject({ title: null, model: "builtin", system: null });
    const [row] = await sessions.stack.sql("SELECT * FROM sessions WHERE id = $1", [id]);
    expect(row).toMatchObject({ messages: 4, key_id: sessions.keyId, end_user: "ada" });
  });

  test("refuses changes that are none, and keeps what it had", async () => {
    const { session_id: id } = await sessions.talk({ message: "Hi" });
    const path = `/v1/sessions/${id}`;
    const patch = (body: unknown, client = sessions.client) => client.request("PATCH", path, body);
    await expectInvalid(await patch({ title: "t".repeat(201) }), "title");
    await expectInvalid(await patch({ title: "" }), "title");
    await expectInvalid(await patch({ title: "two\nlines" }), "title");
    await expectInvalid(await patch({ system: "s".repeat(32_001) }), "system");
    await expectInvalid(await patch({ system: "\u0000" }), "system");
    await expectInvalid(await patch({ model: 5, title: 7 }), "model", "title");
    await expectInvalid(await patch({ team_id: "team_x" }), "team_id");
    await expectProblem(await patch("[1"), 400, "invalid_json");
    await expectProblem(await patch({ title: "New", model: "no-such" }), 404, "model_not_found");
    const limited = await sessions.client.expect<{ key: string }>(201, "POST", "/v1/keys", {
      name: "limited",
      models: ["builtin"],
    });
    const model = await sessions.model({});
    const client = sessions.stack.client(limited.key);
    await expectProblem(await patch({ model }, client), 403, "model_not_allowed");
    expect(await read(id)).toMatchObject({ title: null, model: "builtin", system: null });
    await sessions.client.expect(200, "PATCH", path, {
      title: "t".repeat(200),
      system: "s".repeat(32_000),
    });
  });

  test("forgets what was said when it is reset, and keeps what it is", async () => {
    const model = await sessions.model({});
    const { session_id: id } = await sessions.talk({
      message: "My name is Ada",
      model,
      system: "S",
    });
    await sessions.client.expect(200, "PATCH", `/v1/sessions/${id}`, { title: "Kept" });
    const reset = await sessions.client.expect(200, "POST", `/v1/sessions/${id}/reset`);
    expect(reset).toMatchObject({ title: "Kept", model, system: "S", messages: 0 });
    expect(await sessions.history(id)).toEqual([]);
    await sessions.talk({ session_id: id, message: "Who am I?" });
    expect(sessions.prompts(model)[1]).toEqual([
      ["system", "S"],
      ["user", "Who am I?"],
    ]);
  });

  test("is not there for those who may not know of it", async () => {
    const { session_id: id } = await sessions.talk({ message: "Mine" });
    const stranger = (await sessions.stack.createTeam()).client;
    const ghost = newId("session");
    const requests: [string, string, unknown?][] = [
      ["GET", ""],
      ["PATCH", "", { title: "x" }],
      ["PATCH", "", { model: "no-such" }],
      ["DELETE", ""],
      ["GET", "/messages"],
      ["POST", "/reset"],
    ];
    for (const [method, path, body] of requests) {
      for (const [client, session] of [
        [stranger, id],
        [sessions.client, ghost],
        [sessions.client, "sess_1"],
        [sessions.client, encodeURIComponent("../../x")],
      ] as const) {
        const answer = await client.request(method, `/v1/sessions/${session}${path}`, body);
        const problem = await expectProblem(answer, 404, "not_found");
        expect(problem.detail).toMatch(/^There is no such session/);
      }
    }
    expect(await read(id)).toMatchObject({ title: null, messages: 2 });
  });

  test("wants the scope sessions, and a turn the scope chat", async () => {
    const { session_id: id } = await sessions.talk({ message: "Hi" });
    const keyWith = async (scopes: string[]) => {
      const body = { name: "scoped", scopes };
      const { key } = await sessions.client.expect<{ key: string }>(201, "POST", "/v1/keys", body);
      return sessions.stack.client(key);
    };
    const [chat, all] = [await keyWith(["chat"]), await keyWith(["sessions"])];
    await chat.expect(200, "POST", "/v1/chat", { session_id: id, message: "Hi" });
    for (const [method, path] of [
      ["GET", "/v1/sessions"],
      ["GET", `/v1/sessions/${id}`],
      ["PATCH", `/v1/sessions/${id}`],
      ["DELETE", `/v1/sessions/${id}`],
      ["GET", `/v1/sessions/${id}/messages`],
      ["POST", `/v1/sessions/${id}/reset`],
    ] as const) {
      const body = method === "PATCH" ? {} : undefined;
      await expectProblem(await chat.request(method, path, body), 403, "missing_scope");
      if (method !== "DELETE") await all.expect(200, method, path, body);
    }
  });
});

describe("the messages of a session", () => {
  test("come page by page, the newest first, also while more is said", async () => {
    const model = await sessions.model({});
    const { session_id } = await sessions.talk({ message: "0", model });
    for (const message of ["1", "2", "3"]) await sessions.talk({ session_id, message });
    const page = (query: string) =>
      sessions.client.expect<Listed<MessageBody>>(
        200,
        "GET",
        `/v1/sessions/${session_id}/messages?${query}`,
      );
    const first = await page("limit=3");
    expect(first.data.map(({ content }) => content)).toEqual(["You said: 3", "3", "You said: 2"]);
    expect(first.data[0]).toMatchObject({ role: "assistant", model, finish_reason: "stop" });
    expect(first.data[1]).toMatchObject({ role: "user", model: null, finish_reason: null });
    await sessions.talk({ session_id, message: "4" });
    const second = await page(`limit=3&cursor=${first.next_cursor}`);
    expect(second.data.map(({ content }) => content)).toEqual(["2", "You said: 1", "1"]);
    const last = await page(`limit=3&cursor=${second.next_cursor}`);
    expect(last.data.map(({ content }) => content)).toEqual(["You said: 0", "0"]);
    expect(last.next_cursor).toBeNull();
    const bad = Buffer.from('["x"]').toString("base64url");
    await expectProblem(
      await sessions.client.request("GET", `/v1/sessions/${session_id}/messages?cursor=${bad}`),
      400,
      "invalid_request",
    );
  });

  test("are fewer a page where they are very long, and none is lost", async () => {
    const long = "word ".repeat(300_000);
    const model = await sessions.model({ pieces: [long] }, { context_tokens: 10_000_000 });
    const { session_id } = await sessions.talk({ message: "0", model });
    for (let turn = 1; turn < 4; turn++) await sessions.talk({ session_id, message: `${turn}` });
    const lengths: number[] = [];
    const sizes: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `?cursor=${cursor}`;
      const path = `/v1/sessions/${session_id}/messages${query}`;
      const page = await sessions.client.expect<Listed<MessageBody>>(200, "GET", path);
      sizes.push(page.data.length);
      lengths.push(...page.data.map(({ content }) => String(content).length));
      cursor = page.next_cursor;
    }
    expect(sizes.length).toBeGreaterThan(1);
    expect(lengths).toEqual([1, 2, 3, 4].flatMap(() => [long.length, 1]));
  });
});

describe("a history longer than the model's context", () => {
  test("loses its oldest messages, never the system prompt nor the new message", async () => {
    const model = await sessions.model({}, { context_tokens: 600 });
    const words = (name: string) => `${name} ${"word ".repeat(60)}`.trim();
    const system = `Always ${"mind ".repeat(60)}`.trim();
    const { session_id } = await sessions.talk({ message: words("m0"), model, system });
    for (let turn = 1; turn < 6; turn++)
      await sessions.talk({ session_id, message: words(`m${turn}`) });
    const last = sessions.prompts(model).at(-1) ?? [];
    expect(last[0]).toEqual(["system", system]);
    expect(last[1]?.[0]).toBe("user");
    expect(last.at(-1)).toEqual(["user", words("m5")]);
    expect(last.length).toBeGreaterThanOrEqual(4);
    expect(last.length).toBeLessThan(8);
    expect(JSON.stringify(last)).not.toContain("m0 ");
    const tokens = JSON.stringify(last.map(([, content]) => content)).split(" ").length;
    expect(tokens).toBeLessThan(600);
    expect(await sessions.history(session_id)).toHaveLength(12);
    expect((await sessions.history(session_id))[0]).toEqual(["user", words("m0")]);
  });

  test("is no way around it for one message that is too long", async () => {
    const model = await sessions.model({}, { context_tokens: 600 });
    const { session_id } = await sessions.talk({ message: "Short", model });
    const message = "word ".repeat(700);
    const turn = { session_id, message };
    for (const body of [
      turn,
      { ...turn, stream: true },
      { message, model },
      { message: "x", model, system: message },
    ]) {
      const answer = await sessions.client.request("POST", "/v1/chat", body);
      await expectProblem(answer, 400, "context_too_long");
    }
    expect(sessions.provider.requestsFor(model)).toHaveLength(1);
    await sessions.talk({ session_id, message: "Short again" });
    expect(await sessions.history(session_id)).toHaveLength(4);
    const records = await sessions.turnRecords(model, 6);
    expect(records.filter((record) => record.error_code === "context_too_long")).toHaveLength(4);
  });
});
