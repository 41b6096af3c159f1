import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { Principal } from "../kernel/principal.ts";
import { listSessions } from "./list-sessions.ts";
import type { SessionInfo, SessionStore } from "./session.ts";
import type { SessionPorts } from "./session-context.ts";

let database: TestDatabase;
const ada: Principal = {
  kind: "telegram",
  teamId: "team_a",
  chatId: "1",
  endUser: "tg:1",
  scopes: ["sessions"],
};
const key: Principal = {
  kind: "key",
  teamId: "team_a",
  keyId: "key_a",
  scopes: ["sessions"],
  models: ["*"],
};

beforeAll(async () => {
  database = await openTestDatabase(inject("postgres"));
  await database.pool.query("INSERT INTO teams (id, name) VALUES ('team_a', 'A'), ('team_b', 'B')");
});
afterAll(() => database?.drop());

async function addRow(teamId: string, endUser: string): Promise<string> {
  const id = newId("session");
  await database.pool.query(
    "INSERT INTO sessions (id, team_id, end_user, model) VALUES ($1, $2, $3, 'indexed')",
    [id, teamId, endUser],
  );
  return id;
}

/** Sessions whose objects answer as told. */
function portsOf(read: (sessionId: string) => Promise<SessionInfo | null>): SessionPorts {
  return {
    openSession: (id) => ({ read: () => read(id) }) as unknown as SessionStore, // of which lists use no more
    route: () => Promise.reject(new Error("not asked")),
    defaultModel: () => Promise.resolve("the-default"),
  };
}

const answering = (id: string): Promise<SessionInfo> =>
  Promise.resolve({
    id,
    teamId: "team_a",
    keyId: null,
    endUser: null,
    title: `Title of ${id}`,
    model: null,
    lastModel: "used",
    system: null,
    messages: 2,
    inputTokens: 1,
    outputTokens: 1,
    createdAt: 0,
    lastActiveAt: 0,
  });

test("a Telegram user sees their own sessions only, whatever they ask for", async () => {
  const [own] = [await addRow("team_a", "tg:1"), await addRow("team_a", "tg:2")];
  await addRow("team_b", "tg:1");
  const ports = portsOf(answering);
  for (const endUser of [undefined, "tg:1", "tg:2"]) {
    const context = database.context({ principal: ada });
    const { items } = await listSessions(context, ports, { limit: 50, endUser });
    expect(items.map(({ id }) => id)).toEqual([own]);
    expect(items[0]).toMatchObject({ title: `Title of ${own}`, model: "the-default" });
  }
  const all = await listSessions(database.context({ principal: key }), ports, { limit: 50 });
  expect(all.items).toHaveLength(2);
});

test("an object that cannot be reached hides its title, and not the session", async () => {
  const id = await addRow("team_a", "unreachable");
  const ports = portsOf(() => Promise.reject(new AppError("unavailable", { message: "Away." })));
  const context = database.context({ principal: key });
  const { items } = await listSessions(context, ports, { limit: 50, endUser: "unreachable" });
  expect(items).toMatchObject([{ id, title: null, model: "indexed" }]);
  const { rowCount } = await database.pool.query("SELECT 1 FROM sessions WHERE id = $1", [id]);
  expect(rowCount).toBe(1);
});

test("objects are asked side by side, and not too many at once", async () => {
  await Promise.all(Array.from({ length: 60 }, () => addRow("team_a", "many")));
  let [asking, most] = [0, 0];
  const ports = portsOf(async (id) => {
    asking++;
    most = Math.max(most, asking);
    await new Promise((resolve) => setImmediate(resolve));
    asking--;
    return answering(id);
  });
  const context = database.context({ principal: key });
  const { items } = await listSessions(context, ports, { limit: 200, endUser: "many" });
  expect(items).toHaveLength(60);
  expect(most).toBeGreaterThan(5);
  expect(most).toBeLessThanOrEqual(20);
});

test("the lists that are asked for have an index", async () => {
  await database.pool.query("ANALYZE sessions");
  const client = await database.pool.connect();
  await client.query(
    "SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off",
  );
  const order = "ORDER BY last_active_at DESC, id DESC LIMIT 51";
  for (const [where, index] of [
    ["team_id = 'team_a'", "sessions_team_last_active_index"],
    ["team_id = 'team_a' AND end_user = 'many'", "sessions_team_end_user_index"],
    ["true", "sessions_last_active_index"],
  ]) {
    const query = `EXPLAIN SELECT * FROM sessions WHERE ${where} ${order}`;
    const { rows } = await client.query<{ "QUERY PLAN": string }>(query);
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan).toContain(`Index Scan Backward using ${index}`);
    expect(plan).not.toContain("Sort");
  }
  client.release();
});
