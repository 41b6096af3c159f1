import { afterEach, beforeEach, expect, inject, it } from "vitest";
import {
  makeRecord,
  of,
  openTestDatabase,
  scheduleContext,
  type TestDatabase,
} from "#test/usage/database.ts";
import { listUsageRecords } from "../usage/list-usage-records.ts";
import { storeUsageRecords } from "../usage/store-usage-records.ts";
import { sumUsage } from "../usage/sum-usage.ts";
import { usageRetention } from "./usage-retention.ts";

let database: TestDatabase;
// A database for each test: partitions are tables, and stay.
beforeEach(async () => void (database = await openTestDatabase(inject("postgres"))));
afterEach(() => database.drop());

const NOW = new Date("2027-03-20T04:17:00.000Z"); // with 30 days, the line is 2027-02-18T04:00
const DAYS = ["2026-12-31", "2027-01-15", "2027-02-10", "2027-02-17", "2027-02-18", "2027-03-19"];
const run = (over = {}) =>
  usageRetention.run(
    scheduleContext(database.context({ now: NOW }), { usageRetentionDays: 30, ...over }),
  );
const recordsOn = (...days: string[]) =>
  of("team_a", ...days.map((day) => makeRecord({ at: Date.parse(`${day}T05:30:00.000Z`) })));
const partitions = async () =>
  (
    await database.pool.query<{ name: string }>(
      "SELECT relid::text AS name FROM pg_partition_tree('usage_records') WHERE isleaf ORDER BY 1",
    )
  ).rows.map((row) => row.name.replace("usage_records_", ""));
const days = async () =>
  (
    await database.pool.query<{ day: string }>(
      "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM usage_records ORDER BY at",
    )
  ).rows.map((row) => row.day);
const sums = async () =>
  (
    await sumUsage(
      database.context({ principal: { kind: "super_admin", teamId: null }, now: NOW }),
      { from: new Date("2026-11-01"), to: NOW, group_by: ["day"] },
      { limit: 200 },
    )
  ).items.map((sum) => [sum.group.day, sum.requests]);

/** Makes the partitions of these months, as the schedule did while they were to come. */
const makeMonths = () => database.pool.query("SELECT ensure_usage_partitions('2026-12-01', 4)");

it("drops months that are over, deletes the rest of what is old, and keeps every sum", async () => {
  await makeMonths();
  await storeUsageRecords(database.context().db, recordsOn(...DAYS));
  const before = await sums();
  expect(before).toHaveLength(6);
  const result = await run();
  expect(result).toMatchObject({
    closed_before: "2027-02-18T04:00:00.000Z",
    partitions_dropped: expect.arrayContaining(["usage_records_2026_12", "usage_records_2027_01"]),
    records_deleted: 2,
    more: false,
  });
  expect(await days()).toEqual(["2027-02-18", "2027-03-19"]);
  expect(await partitions()).toEqual([
    "2027_02",
    "2027_03",
    "2027_04",
    "2027_05",
    "2027_06",
    "default",
  ]);
  expect(await sums()).toEqual(before);
  expect(await run()).toMatchObject({
    records_deleted: 0,
    partitions_dropped: [],
    partitions_made: 0,
  });
  expect(await sums()).toEqual(before);
});

it("deletes old records that no month covers too", async () => {
  await storeUsageRecords(database.context().db, recordsOn("2025-05-05", "2027-03-19"));
  expect(await run()).toMatchObject({ records_deleted: 1 });
  expect(await days()).toEqual(["2027-03-19"]);
});

it("closes nothing before a hour that it could not roll up", async () => {
  await makeMonths();
  await storeUsageRecords(database.context().db, recordsOn(...DAYS));
  const busy = await database.pool.connect();
  try {
    await busy.query("BEGIN");
    await busy.query(
      "SELECT 1 FROM usage_dirty_hours WHERE hour = '2027-01-15T05:00:00Z' FOR UPDATE",
    );
    expect(await run()).toMatchObject({ closed_before: "2027-01-15T05:00:00.000Z", more: true });
    await busy.query("ROLLBACK");
  } finally {
    busy.release();
  }
  expect(await days()).toEqual(DAYS.slice(1));
  expect(await run()).toMatchObject({ closed_before: "2027-02-18T04:00:00.000Z", more: false });
  expect(await days()).toEqual(["2027-02-18", "2027-03-19"]);
});

it("deletes more than one chunk, and stops in time", async () => {
  await makeMonths();
  await database.pool.query(
    `INSERT INTO usage_records (id, attempt, at, team_id, model, status, input_tokens, output_tokens, estimated,
       cost_micros, latency_ms)
     SELECT 'req_' || n, 1, '2027-02-10T00:00:00Z'::timestamptz + n * interval '1 second', 'team_a', 'm', 200, 1, 1,
       false, 1, 1 FROM generate_series(1, 12000) AS n`,
  );
  await database.pool.query(
    "INSERT INTO usage_dirty_hours SELECT DISTINCT team_id, date_trunc('hour', at) FROM usage_records",
  );
  const before = await sums();
  expect(await run({ deadline: new Date(NOW.getTime() - 1) })).toMatchObject({
    more: true,
    records_deleted: 0,
  });
  expect(await run()).toMatchObject({ more: false, records_deleted: 12_000 });
  expect(await sums()).toEqual(before);
});

it("leaves a month that is in use for the next time, without holding up those who use it", async () => {
  await makeMonths();
  await storeUsageRecords(database.context().db, recordsOn("2026-12-31", "2027-03-19"));
  const reader = await database.pool.connect();
  try {
    await reader.query("BEGIN; SELECT * FROM usage_records");
    // Every partition is locked by the reader. Deleting is possible, dropping is not.
    expect(await run()).toMatchObject({
      partitions_made: 0,
      partitions_dropped: [],
      records_deleted: 1,
      more: true,
    });
    await reader.query("COMMIT");
  } finally {
    reader.release();
  }
  const next = await run();
  expect(next["partitions_dropped"]).toContain("usage_records_2026_12");
  expect(next["partitions_made"]).toBe(2);
});

it("lists no record of a closed hour, though it may not be deleted yet", async () => {
  await makeMonths();
  await storeUsageRecords(database.context().db, recordsOn("2027-02-10", "2027-03-19"));
  await database.pool.query("UPDATE usage_books SET closed_before = '2027-02-18T04:00:00Z'");
  const { items } = await listUsageRecords(
    database.context({ principal: { kind: "super_admin", teamId: null }, now: NOW }),
    { from: new Date("2027-01-01") },
    { limit: 10 },
  );
  expect(items.map((record) => record.at.toISOString())).toEqual(["2027-03-19T05:30:00.000Z"]);
});

it("moves records that came before their month's partition into it", async () => {
  await storeUsageRecords(database.context().db, recordsOn("2027-03-19", "2027-05-01"));
  expect(await partitions()).not.toContain("2027_05");
  await run();
  expect(await partitions()).toContain("2027_05");
  expect(await days()).toEqual(["2027-03-19", "2027-05-01"]);
  const { rows } = await database.pool.query(
    "SELECT count(*)::int AS n FROM usage_records_default",
  );
  expect(rows[0].n).toBe(0);
});
