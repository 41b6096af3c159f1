import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { eventually } from "#test/harness/eventually.ts";
import { expectProblem } from "#test/api/problem.ts";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  type ChatAnswer,
  deltasOf,
  type Listed,
  readTurn,
  type SessionBody,
  type SessionStack,
  startSessions,
} from "./session-stack.ts";

const IDLE_SECONDS = 4;

let sessions: SessionStack;

beforeAll(async () => {
  sessions = await startSessions(inject("postgres"), {
    vars: { LOG_LEVEL: "debug", SESSION_TURN_LEASE_SECONDS: "2" },
  });
});
afterAll(() => sessions?.stop());

const get = (sessionId: string) => sessions.client.request("GET", `/v1/sessions/${sessionId}`);
const isListed = async (sessionId: string) =>
  (await sessions.stack.sql("SELECT 1 FROM sessions WHERE id = $1", [sessionId])).length > 0;

/** Files of the runtime's storage in which a text stands. */
async function filesWith(text: string): Promise<string[]> {
  const entries = await readdir(sessions.stack.storageFolder, {
    recursive: true,
    withFileTypes: true,
  });
  const found: string[] = [];
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const bytes = await readFile(file).catch(() => Buffer.alloc(0)); // it may be gone meanwhile
    if (bytes.includes(text)) found.push(entry.name);
  }
  return found;
}

/** Every row of every table, as text. */
async function allOfPostgres(): Promise<string> {
  const tables = await sessions.stack.sql<{ name: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  expect(tables.length).toBeGreaterThan(10);
  const rows: string[] = [];
  for (const { name } of tables)
    for (const { row } of await sessions.stack.sql<{ row: string }>(
      `SELECT t::text AS row FROM ${name} t`,
    ))
      rows.push(row);
  return rows.join("\n");
}

/** Every key and value of the cache. */
async function allOfRedis(): Promise<string> {
  const [keys] = await sessions.stack.redis.execute([["KEYS", "*"]]);
  if (!Array.isArray(keys)) throw new Error("KEYS gives a list");
  const values = await sessions.stack.redis.execute(keys.map((key) => ["GET", String(key)]));
  return JSON.stringify([keys.map(String), values.map(String)]);
}

describe("what was said", () => {
  test("is in the session's object, and nowhere in Postgres, the cache or the logs", async () => {
    const canary = `canary-${crypto.randomUUID()}`;
    const cutCanary = `cut-${crypto.randomUUID()}`;
    const model = await sessions.model({ pieces: ["I say ", canary] });
    const cut = await sessions.model({ pieces: [cutCanary, "x"], stopAfter: 1, ending: "cut" });
    const failing = await sessions.model({
      status: 400,
      body: JSON.stringify({ error: { message: "no" } }),
    });
    const body = { message: `You say ${canary}`, model, system: `Prompt ${canary}` };
    const headers = { "idempotency-key": crypto.randomUUID() };
    const { session_id } = await sessions.talk(body, headers);
    await sessions.talk(body, headers);
    await sessions.client.expect(200, "PATCH", `/v1/sessions/${session_id}`, {
      title: `Title ${canary}`,
    });
    const streamed = { session_id, message: canary, stream: true };
    await readTurn(await sessions.client.request("POST", "/v1/chat", streamed));
    await readTurn(await sessions.client.request("POST", "/v1/chat", { ...streamed, model: cut }));
    const more = [
      { message: canary, model: failing },
      { message: canary.repeat(20_000), model },
    ];
    for (const wrong of [...more, { message: canary, system: 5 }, { message: canary, [canary]: 1 }])
      await (await sessions.client.request("POST", "/v1/chat", wrong)).text();
    const { data } = await sessions.client.expect<Listed<SessionBody>>(200, "GET", "/v1/sessions");
    expect(data[0]?.title).toBe(`Title ${canary}`);
    await sessions.turnRecords(model, 3);
    await sessions.turnRecords(cut, 1);

    expect(await filesWith(canary)).not.toEqual([]);
    const bodyHash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
    const [postgres, redis] = [await allOfPostgres(), await allOfRedis()];
    expect(postgres).toContain(session_id);
    expect(redis).toContain(sessions.keyId);
    expect(sessions.stack.logs.includes(session_id)).toBe(true);
    for (const text of [canary, cutCanary, bodyHash]) {
      expect(postgres).not.toContain(text);
      expect(redis).not.toContain(text);
      expect(sessions.stack.logs.includes(text)).toBe(false);
    }
  });

  test("is erased for good with its session", async () => {
    const canary = `canary-${crypto.randomUUID()}`;
    const model = await sessions.model({ pieces: [canary] });
    const { session_id } = await sessions.talk({ message: canary, model, system: canary });
    expect(await filesWith(canary)).not.toEqual([]);
    await sessions.client.expect(204, "DELETE", `/v1/sessions/${session_id}`);
    await expectProblem(await get(session_id), 404, "not_found");
    expect(await isListed(session_id)).toBe(false);
    await eventually(async () => expect(await filesWith(canary)).toEqual([]));
    await expectProblem(
      await sessions.client.request("DELETE", `/v1/sessions/${session_id}`),
      404,
      "not_found",
    );
  });

  test("is still there after the runtime was restarted, or killed", async () => {
    const { session_id } = await sessions.talk({ message: "Remember", system: "S" });
    await sessions.client.expect(200, "PATCH", `/v1/sessions/${session_id}`, { title: "T" });
    const before = await sessions.history(session_id);
    await sessions.stack.restart();
    expect(await sessions.history(session_id)).toEqual(before);
    await sessions.stack.kill();
    await sessions.stack.restart();
    expect(await sessions.history(session_id)).toEqual(before);
    expect(await (await get(session_id)).json()).toMatchObject({ title: "T", system: "S" });
    await sessions.talk({ session_id, message: "And?" });
  });
});

describe("with the index out of reach", () => {
  const [away, back] = [
    "ALTER TABLE sessions RENAME TO sessions_away",
    "ALTER TABLE sessions_away RENAME TO sessions",
  ];

  test("turns and changes go on, and the index follows once it is back", async () => {
    await sessions.stack.sql(away);
    const { session_id } = await sessions.talk({ message: "One" });
    await sessions.talk({ session_id, message: "Two" });
    await sessions.stack.sql(back);
    await eventually(async () => {
      const [row] = await sessions.stack.sql("SELECT messages FROM sessions WHERE id = $1", [
        session_id,
      ]);
      expect(row).toEqual({ messages: 4 });
    });
  });

  test("a deletion erases at once, its row follows, also over the death of the runtime", async () => {
    const canary = `canary-${crypto.randomUUID()}`;
    const { session_id } = await sessions.talk({ message: canary });
    await sessions.stack.sql(away);
    await sessions.client.expect(204, "DELETE", `/v1/sessions/${session_id}`);
    await expectProblem(await get(session_id), 404, "not_found");
    await sessions.stack.kill();
    await sessions.stack.restart();
    await expectProblem(await get(session_id), 404, "not_found");
    await sessions.stack.sql(back);
    await eventually(async () => expect(await isListed(session_id)).toBe(false));
    await eventually(async () => expect(await filesWith(canary)).toEqual([]));
  });
});

test("an index row that is late does not come back after its session was deleted", async () => {
  const holder = new pg.Client({ connectionString: sessions.stack.databaseUrl });
  await holder.connect();
  // The row refers to its team: while somebody holds the team, it cannot be written, and a deletion can.
  await holder.query("BEGIN");
  await holder.query("SELECT 1 FROM teams WHERE id = $1 FOR UPDATE", [sessions.teamId]);
  const { session_id } = await sessions.talk({ message: "Hello" });
  await sessions.client.expect(204, "DELETE", `/v1/sessions/${session_id}`);
  await holder.query("ROLLBACK");
  await holder.end();
  await eventually(async () => {
    const waiting =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    expect(await sessions.stack.sql(waiting)).toEqual([]);
  });
  await eventually(async () => expect(await isListed(session_id)).toBe(false), 10_000);
});

test("a turn of a team that was deleted meanwhile leaves nothing of the session", async () => {
  const canary = `canary-${crypto.randomUUID()}`;
  const { client, teamId } = await sessions.stack.createTeam();
  const model = await sessions.model({ pieces: [canary], firstByteDelayMs: 2_000 });
  const turn = client.request("POST", "/v1/chat", { message: "Hi", model });
  await eventually(() => expect(sessions.provider.requestsFor(model)).toHaveLength(1));
  await sessions.stack.admin.expect(204, "DELETE", `/v1/teams/${teamId}`);
  const answer = (await (await turn).json()) as ChatAnswer; // it began before
  expect(answer.reply).toBe(canary);
  await eventually(async () => expect(await filesWith(canary)).toEqual([]));
  expect(await isListed(answer.session_id)).toBe(false);
});

describe("an idle session", () => {
  beforeAll(() => sessions.stack.restart({ SESSION_IDLE_DAYS: String(IDLE_SECONDS / 86_400) }));

  test("erases itself with its row, and one in use does not", async () => {
    const canary = `canary-${crypto.randomUUID()}`;
    const [idle, used] = [
      await sessions.talk({ message: canary }),
      await sessions.talk({ message: "Hi" }),
    ];
    const slow = await sessions.model({ pieces: Array(16).fill("."), eventDelayMs: 500 });
    const busy = await sessions.talk({ message: "Hi" });
    const turn = sessions.client
      .request("POST", "/v1/chat", {
        session_id: busy.session_id,
        message: "Slow",
        model: slow,
        stream: true,
      })
      .then((response) => readTurn(response));
    const until = Date.now() + IDLE_SECONDS * 1_000 + 2_000;
    while (Date.now() < until) {
      await sessions.talk({ session_id: used.session_id, message: "Still here" });
      await new Promise((resolve) => setTimeout(resolve, 500)); // the pace of the talk, not a wait for something
    }
    await eventually(async () => expect((await get(idle.session_id)).status).toBe(404));
    expect((await get(used.session_id)).status).toBe(200);
    await eventually(async () => expect(await isListed(idle.session_id)).toBe(false));
    await eventually(async () => expect(await filesWith(canary)).toEqual([]));
    const events = await turn;
    expect(events.at(-1)?.event).toBe("done");
    expect(deltasOf(events)).toBe(".".repeat(16));
    expect(await sessions.history(busy.session_id)).toHaveLength(4);
    await eventually(async () => expect(await isListed(busy.session_id)).toBe(false));
  });
});
