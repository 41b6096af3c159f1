import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { closeBooks } from "#core/usage/close-books.ts";
import { purgeClosedRecords } from "#core/usage/purge-closed-records.ts";
import { rollUpHours } from "#core/usage/roll-up-hours.ts";
import { sumUsage, type UsageDimension, type UsageSum } from "#core/usage/sum-usage.ts";
import { takeUsageMessages } from "#core/usage/take-usage-messages.ts";
import type { UsageRecord } from "#core/usage/usage-record.ts";
import { makeRecord, openTestDatabase, type TestDatabase } from "./database.ts";

/** Whatever order deliveries, duplicates, roll-ups, closings and purges come in, usage is the sum of the distinct records. */

let database: TestDatabase;
beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());

/** Few hours, so that many records share one; midnight is among them. */
const START = Date.UTC(2026, 10, 19, 21);
const HOUR_MS = 3_600_000;
const HOURS = 6;
const superAdmin = { kind: "super_admin", teamId: null } as const;
const far = new Date("2100-01-01T00:00:00Z");
const TEAMS = ["team_a", "team_b"];

interface Owned {
  teamId: string;
  record: UsageRecord;
}

const owned = fc
  .record({
    team: fc.constantFrom(...TEAMS),
    // Edges of hours are where an off-by-one would hide.
    hour: fc.integer({ min: 0, max: HOURS - 1 }),
    within: fc.constantFrom(0, 1, 1_800_000, HOUR_MS - 1),
    keyId: fc.constantFrom("key_a", "key_b", null),
    model: fc.constantFrom("model-a", "model-b"),
    sessionId: fc.constantFrom("sess_a", null),
    endUser: fc.constantFrom("Zoë", "user,1", null),
    status: fc.constantFrom(200, 399, 400, 499, 502),
    inputTokens: fc.integer({ min: 0, max: 2_147_483_647 }),
    costMicros: fc.integer({ min: 0, max: 1_000_000_000 }),
    cached: fc.boolean(),
    cachedInputTokens: fc.option(fc.nat(1_000), { nil: undefined }),
    cacheWriteTokens: fc.option(fc.nat(1_000), { nil: undefined }),
    cacheMissed: fc.constantFrom(true, false, undefined),
  })
  .map(({ team, hour, within, ...fields }): Owned => ({
    teamId: team,
    record: makeRecord({ ...fields, at: START + hour * HOUR_MS + within }),
  }));

type Step =
  | { kind: "deliver"; from: number; to: number }
  | { kind: "roll_up"; hour: number }
  | { kind: "close"; hour: number }
  | { kind: "purge" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("deliver" as const),
      from: fc.nat(39),
      to: fc.nat(39),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("roll_up" as const), hour: fc.nat(HOURS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("close" as const), hour: fc.nat(HOURS / 2) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "purge" as const }) },
);
/** Steps of one group run at once. */
const groups = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 8,
});

const GROUPINGS: UsageDimension[][] = [
  ["team"],
  ["day", "model"],
  ["hour", "key"],
  ["team", "end_user", "session"],
];

/** The sums as a person would make them, with a loop. */
function bruteForce(records: Owned[], groupBy: UsageDimension[], from: number, to: number) {
  const sums = new Map<string, number[]>();
  for (const { teamId, record } of records) {
    if (record.at < from || record.at >= to) continue;
    const iso = new Date(record.at).toISOString();
    const values: Record<UsageDimension, string | null> = {
      team: teamId,
      day: iso.slice(0, 10),
      hour: `${iso.slice(0, 13)}:00:00Z`,
      key: record.keyId,
      model: record.model,
      session: record.sessionId,
      end_user: record.endUser,
    };
    const key = JSON.stringify(groupBy.map((dimension) => values[dimension]));
    const sum = sums.get(key) ?? [0, 0, 0, 0, 0, 0, 0, 0, 0];
    const more = [
      1,
      record.status >= 400 ? 1 : 0,
      record.inputTokens,
      record.outputTokens,
      record.costMicros,
      record.cached ? 1 : 0,
      record.cacheMissed ? 1 : 0,
      record.cachedInputTokens ?? 0,
      record.cacheWriteTokens ?? 0,
    ];
    sums.set(
      key,
      sum.map((value, index) => value + (more[index] ?? 0)),
    );
  }
  return Object.fromEntries([...sums].sort());
}

async function reported(groupBy: UsageDimension[], from: number, to: number, limit = 200) {
  const sums: UsageSum[] = [];
  let cursor: string | undefined;
  do {
    const page = await sumUsage(
      database.context({ principal: superAdmin }),
      { from: new Date(from), to: new Date(to), group_by: groupBy },
      { limit, cursor },
    );
    sums.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  const entries = sums.map((sum) => [
    JSON.stringify(groupBy.map((dimension) => sum.group[dimension])),
    [
      sum.requests,
      sum.errors,
      sum.inputTokens,
      sum.outputTokens,
      sum.costMicros,
      sum.cached,
      sum.cacheMisses,
      sum.cachedInputTokens,
      sum.cacheWriteTokens,
    ],
  ]);
  expect(new Set(entries.map(([key]) => key)).size).toBe(entries.length);
  return Object.fromEntries(entries.sort());
}

async function run(steps: Step[], records: Owned[]): Promise<void> {
  const context = database.context();
  await Promise.all(
    steps.map(async (next) => {
      if (next.kind === "deliver") {
        const chosen = records.slice(
          Math.min(next.from, next.to),
          Math.max(next.from, next.to) + 1,
        );
        // Each record twice in one batch of messages, and in any later one that overlaps.
        const messages = [chosen, chosen.toReversed()].flatMap((part, index) =>
          TEAMS.map((teamId) => ({
            kind: "usage",
            teamId,
            batches: [
              {
                id: `batch_${index}`,
                records: part.filter((item) => item.teamId === teamId).map((item) => item.record),
              },
            ],
          })),
        );
        await takeUsageMessages(context, messages);
      }
      if (next.kind === "roll_up")
        await rollUpHours(context, {
          before: new Date(START + next.hour * HOUR_MS),
          deadline: far,
        });
      if (next.kind === "close") await closeBooks(context, new Date(START + next.hour * HOUR_MS));
      if (next.kind === "purge") await purgeClosedRecords(context, far);
    }),
  );
}

/** The records that were taken: stored, or stored once and since purged. What came too late is in dead_letters. */
async function taken(records: Owned[], delivered: Set<string>): Promise<Owned[]> {
  const { rows } = await database.pool.query<{ body: string }>("SELECT body FROM dead_letters");
  const { rows: stored } = await database.pool.query<{ id: string }>(
    "SELECT id FROM usage_records",
  );
  const present = new Set(stored.map((row) => row.id));
  const late = new Set(rows.map((row) => String(JSON.parse(row.body).id)));
  for (const id of present) everStored.add(id);
  return records.filter(
    ({ record }) => delivered.has(record.id) && (!late.has(record.id) || everStored.has(record.id)),
  );
}
const everStored = new Set<string>();

it("reports the sums of the distinct records after any interleaving", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(owned, { minLength: 1, maxLength: 40 }),
      groups,
      fc.constantFrom(...GROUPINGS),
      fc.tuple(fc.integer({ min: 0, max: HOURS * 2 }), fc.constantFrom(0, 1, 1_800_000)),
      async (records, steps, groupBy, [end, cut]) => {
        await database.pool.query(
          "TRUNCATE usage_records, usage_hourly, usage_dirty_hours, dead_letters; UPDATE usage_books SET closed_before = 'epoch'",
        );
        const delivered = new Set<string>();
        for (const group of steps) {
          // Purges run alone, so that the test can see what was stored before it went.
          const purges = group.filter((next) => next.kind === "purge");
          const others = group.filter((next) => next.kind !== "purge");
          for (const next of others) {
            if (next.kind !== "deliver") continue;
            const [low, high] = [Math.min(next.from, next.to), Math.max(next.from, next.to)];
            for (const { record } of records.slice(low, high + 1)) delivered.add(record.id);
          }
          await run(others, records);
          const expected = await taken(records, delivered);
          await run(purges, records);
          const all: [number, number] = [START, START + HOURS * HOUR_MS];
          expect(await reported(groupBy, ...all)).toEqual(bruteForce(expected, groupBy, ...all));
          // A range with cut hours at its ends, over hours that are not closed, in pages of two.
          const { rows } = await database.pool.query("SELECT closed_before FROM usage_books");
          const open = Math.max(START, rows[0].closed_before.getTime()) + cut;
          const to = Math.max(open + 1, START + end * HOUR_MS - cut);
          expect(await reported(groupBy, open, to, 2)).toEqual(
            bruteForce(expected, groupBy, open, to),
          );
        }
      },
    ),
    { numRuns: 60, endOnFailure: true },
  );
});
