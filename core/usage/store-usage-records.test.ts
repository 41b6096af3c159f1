import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { makeRecord, of, openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { closeBooks } from "./close-books.ts";
import { rollUpHours } from "./roll-up-hours.ts";
import { storeUsageRecords } from "./store-usage-records.ts";

let database: TestDatabase;
const HOUR = "2026-11-20T10:00:00.000Z";
const far = new Date("2100-01-01T00:00:00Z");

beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query(
    "TRUNCATE usage_records, usage_hourly, usage_dirty_hours, dead_letters; UPDATE usage_books SET closed_before = 'epoch'",
  );
});

const rows = async <Row>(query: string): Promise<Row[]> => (await database.pool.query(query)).rows;
const requestsSummed = async () =>
  Number(
    (await rows<{ sum: string }>("SELECT coalesce(sum(requests), 0) AS sum FROM usage_hourly"))[0]
      ?.sum,
  );
const dirtyHours = async () =>
  (
    await rows<{ team_id: string; hour: Date }>("SELECT * FROM usage_dirty_hours ORDER BY 1, 2")
  ).map((row) => `${row.team_id} ${row.hour.toISOString()}`);

it("stores records of several teams in one statement and marks their hours", async () => {
  const records = [
    ...of("team_a", makeRecord(), makeRecord({ at: Date.UTC(2026, 10, 20, 11, 0) })),
    ...of("team_b", makeRecord()),
  ];
  const stored = await storeUsageRecords(database.context().db, records);
  expect(stored).toEqual({ inserted: 3, late: 0 });
  expect(await dirtyHours()).toEqual([
    `team_a ${HOUR}`,
    "team_a 2026-11-20T11:00:00.000Z",
    `team_b ${HOUR}`,
  ]);
});

it("marks no hour for records that were there already, in the same statement or an earlier one", async () => {
  const record = makeRecord();
  const { db } = database.context();
  expect((await storeUsageRecords(db, of("team_a", record, record))).inserted).toBe(1);
  await rollUpHours(database.context(), { before: far, deadline: far });
  expect(await dirtyHours()).toEqual([]);
  expect((await storeUsageRecords(db, of("team_a", record))).inserted).toBe(0);
  expect(await dirtyHours()).toEqual([]);
});

it("takes every attempt of a request as a record of its own", async () => {
  const record = makeRecord();
  const both = of("team_a", record, { ...record, attempt: 2 });
  expect((await storeUsageRecords(database.context().db, both)).inserted).toBe(2);
});

it("lets consumers with the same records in opposite orders run at once", async () => {
  const records = Array.from({ length: 300 }, (_, index) =>
    makeRecord({ at: Date.UTC(2026, 10, 20, index % 24) }),
  );
  const { db } = database.context();
  for (let round = 0; round < 5; round++) {
    const fresh = records.map((record) => ({ ...record, attempt: round }));
    const outcomes = await Promise.all([
      storeUsageRecords(db, of("team_a", ...fresh)),
      storeUsageRecords(db, of("team_a", ...fresh.toReversed())),
      storeUsageRecords(db, of("team_a", ...fresh.toSorted(() => Math.random() - 0.5))),
    ]);
    expect(outcomes.reduce((sum, outcome) => sum + outcome.inserted, 0)).toBe(300);
  }
});

it("keeps the mark when a roll-up sums the hour while a record is being stored", async () => {
  const { db } = database.context();
  await storeUsageRecords(db, of("team_a", makeRecord()));
  const late = makeRecord();
  // The statement has stored its record and locked the mark, and has not committed.
  const rolledUp = await database.context().transaction(async (consumer) => {
    await storeUsageRecords(consumer.db, of("team_a", late));
    return rollUpHours(database.context(), { before: far, deadline: far });
  });
  expect(rolledUp).toEqual({ hours: 0, more: true });
  expect(await dirtyHours()).toEqual([`team_a ${HOUR}`]);
  await rollUpHours(database.context(), { before: far, deadline: far });
  expect(await requestsSummed()).toBe(2);
});

it("marks the hour anew when a roll-up is about to remove its mark", async () => {
  const { db } = database.context();
  await storeUsageRecords(db, of("team_a", makeRecord()));
  const rollUp = await database.pool.connect();
  try {
    // What a roll-up does, held up between its lock and its commit.
    await rollUp.query("BEGIN");
    await rollUp.query("SELECT 1 FROM usage_dirty_hours FOR UPDATE");
    const consumer = storeUsageRecords(db, of("team_a", makeRecord()));
    await database.someoneWaits();
    await rollUp.query("DELETE FROM usage_dirty_hours");
    await rollUp.query("COMMIT");
    await consumer;
  } finally {
    rollUp.release();
  }
  expect(await dirtyHours()).toEqual([`team_a ${HOUR}`]);
});

it("sets records of closed hours aside, once, and leaves their sums alone", async () => {
  const { db } = database.context();
  await storeUsageRecords(db, of("team_a", makeRecord()));
  await rollUpHours(database.context(), { before: far, deadline: far });
  await closeBooks(database.context(), new Date("2026-11-20T11:00:00Z"));
  const late = makeRecord({ endUser: "Zoë" });
  expect(await storeUsageRecords(db, of("team_a", late))).toEqual({ inserted: 0, late: 1 });
  expect(await storeUsageRecords(db, of("team_a", late))).toEqual({ inserted: 0, late: 0 });
  expect(await dirtyHours()).toEqual([]);
  const letters = await rows<{ reason: string; body: string }>("SELECT * FROM dead_letters");
  expect(letters).toHaveLength(1);
  expect(JSON.parse(letters[0]?.body ?? "")).toMatchObject({ id: late.id, endUser: "Zoë" });
});

it("closes no hour under a consumer that is storing a record in it", async () => {
  let closing: Promise<Date> | undefined;
  await database.context().transaction(async (consumer) => {
    await storeUsageRecords(consumer.db, of("team_a", makeRecord()));
    closing = closeBooks(database.context(), new Date("2026-11-21T00:00:00Z"));
    await database.someoneWaits();
  });
  expect((await closing)?.toISOString()).toBe(HOUR); // it waited, and saw that the hour is dirty
});

it("stores nothing in an hour that is closed while the consumer waits", async () => {
  const closing = await database.pool.connect();
  try {
    await closing.query("BEGIN");
    await closing.query("SELECT 1 FROM usage_books FOR UPDATE");
    const consumer = storeUsageRecords(database.context().db, of("team_a", makeRecord()));
    await database.someoneWaits();
    await closing.query("UPDATE usage_books SET closed_before = '2026-11-20T11:00:00Z'");
    await closing.query("COMMIT");
    expect(await consumer).toEqual({ inserted: 0, late: 1 });
  } finally {
    closing.release();
  }
});
