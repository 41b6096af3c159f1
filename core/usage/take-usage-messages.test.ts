import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { makeRecord, openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { takeUsageMessages } from "./take-usage-messages.ts";

let database: TestDatabase;
beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query(
    "TRUNCATE usage_records, usage_dirty_hours, dead_letters, health_checks",
  );
});

const message = (teamId: string, id: string, records: unknown[]) => ({
  kind: "usage",
  teamId,
  batches: [{ id, records }],
});
const take = (bodies: unknown[], now?: Date) =>
  takeUsageMessages(database.context(now ? { now } : {}), bodies);
const count = async (table: string) =>
  (await database.pool.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n;

it("takes the messages of many teams, and says which batches to confirm to whom", async () => {
  const taken = await take([
    message("team_a", "batch_1", [makeRecord()]),
    message("team_b", "batch_2", [makeRecord(), makeRecord()]),
    message("team_a", "batch_3", []),
  ]);
  expect(taken).toMatchObject({ inserted: 3, dead: 0 });
  expect([...taken.batches]).toEqual([
    ["team_a", ["batch_1", "batch_3"]],
    ["team_b", ["batch_2"]],
  ]);
});

it("sets unreadable messages aside and stores all the others", async () => {
  const poison = [
    null,
    5,
    "x",
    [],
    {},
    { kind: "usage" },
    { kind: "later", at: 1 },
    message("team_a", "b", [1]),
    { ...message("t", "b", []), teamId: 7 },
  ];
  const taken = await take([...poison, message("team_a", "batch_1", [makeRecord()])]);
  expect(taken.inserted).toBe(1);
  expect(taken.dead).toBe(poison.length);
  expect(await count("dead_letters")).toBe(poison.length);
  await take(poison);
  expect(await count("dead_letters")).toBe(poison.length); // the same again adds nothing
});

it("sets a bad record aside, stores its neighbours and confirms their batch, so that it is not sent for ever", async () => {
  const bad = [
    { ...makeRecord(), at: "yesterday" },
    { ...makeRecord(), at: Number.MAX_SAFE_INTEGER },
    { ...makeRecord(), at: -1 },
    { ...makeRecord(), inputTokens: null },
    "\ud800\u0000",
  ];
  const taken = await take([message("team_a", "batch_1", [makeRecord(), ...bad, makeRecord()])]);
  expect(taken).toMatchObject({ inserted: 2, dead: bad.length });
  expect(taken.batches.get("team_a")).toEqual(["batch_1"]);
  expect(await count("dead_letters")).toBe(bad.length);
});

it("finds the one record that Postgres refuses, should a check ever miss it", async () => {
  const { pool } = database;
  await pool.query(
    "ALTER TABLE usage_records ADD CONSTRAINT no_unicorn CHECK (model <> 'unicorn')",
  );
  try {
    const records = Array.from({ length: 37 }, (_, index) =>
      makeRecord(index === 20 || index === 31 ? { model: "unicorn" } : {}),
    );
    const taken = await take([message("team_a", "batch_1", records)]);
    expect(taken).toMatchObject({ inserted: 35, dead: 2 });
    expect(taken.batches.get("team_a")).toEqual(["batch_1"]);
  } finally {
    await pool.query("ALTER TABLE usage_records DROP CONSTRAINT no_unicorn");
  }
});

it("throws when the database fails, so that the messages come again", async () => {
  const context = database.context();
  const broken = {
    ...context,
    db: Object.create(context.db, {
      execute: { value: () => context.db.select().from(sql`no_such_table`) },
    }),
  };
  await expect(
    takeUsageMessages(broken, [message("team_a", "batch_1", [makeRecord()])]),
  ).rejects.toThrow();
  expect(await count("dead_letters")).toBe(0);
});

it("stores how long a probe took, and lets no older probe overwrite a newer one", async () => {
  const now = Date.UTC(2026, 10, 21, 12);
  await take([{ kind: "probe", sentAt: now - 120 }], new Date(now));
  await take([{ kind: "probe", sentAt: now - 900_000 }], new Date(now - 1_000));
  const { rows } = await database.pool.query("SELECT * FROM health_checks");
  expect(rows).toMatchObject([{ name: "queue", status: "ok", latency_ms: 120, detail: null }]);
});
