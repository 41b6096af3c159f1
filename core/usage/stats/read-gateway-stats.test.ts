import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { RAIL_EVENTS } from "../../guard-rails/rail-events.ts";
import type { Principal } from "../../kernel/principal.ts";
import { makeRecord, of, openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import type { TeamRecord } from "../read-usage-message.ts";
import { storeUsageRecords } from "../store-usage-records.ts";
import type { UsageRecord } from "../usage-record.ts";
import { RELATIVE_ERROR } from "./latency-histogram.ts";
import { purgeMinutes } from "./purge-minutes.ts";
import { readGatewayStats } from "./read-gateway-stats.ts";

let database: TestDatabase;
/** In the middle of a minute, as nearly always. */
const NOW = new Date("2026-11-20T10:30:25.500Z");
/** `readGatewayStats` compares ids as they are made. */
const [A, B] = ["team_0000000000000000000000000a", "team_0000000000000000000000000b"];

beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query(
    "TRUNCATE usage_records, usage_hourly, usage_dirty_hours, usage_minutes, dead_letters",
  );
});

const superAdmin: Principal = { kind: "super_admin", teamId: null };
const keyOf = (teamId: string): Principal => ({
  kind: "key",
  teamId,
  keyId: "key_a",
  scopes: ["usage:read"],
  models: ["*"],
});
const store = (records: readonly TeamRecord[]) => storeUsageRecords(database.context().db, records);
const read = (principal: Principal, teamId?: string, now = NOW) =>
  readGatewayStats(
    database.context({ principal, now }),
    teamId === undefined ? {} : { team_id: teamId },
  );
const at = (time: string) => Date.parse(`2026-11-20T${time}Z`);

/** The exact quantile by nearest rank, with room for the histogram's error. */
function expectNear(told: number | null, times: readonly number[], part: number): void {
  const sorted = times.toSorted((one, other) => one - other);
  const exact = sorted[Math.max(1, Math.ceil(part * sorted.length)) - 1];
  if (exact === undefined) return expect(told).toBeNull();
  expect(Math.abs((told ?? NaN) - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR + 1e-9);
}

const recordArbitrary = fc
  .record({
    at: fc.integer({ min: at("09:31:00"), max: NOW.getTime() }),
    model: fc.constantFrom("fast", "slow"),
    provider: fc.constantFrom(null, "one", "two"),
    status: fc.constantFrom(200, 200, 200, 429, 502),
    latencyMs: fc.integer({ min: 0, max: 200_000 }),
    firstTokenMs: fc.option(fc.integer({ min: 0, max: 20_000 })),
    cached: fc.boolean(),
    cacheMissed: fc.boolean(),
    guardRails: fc.option(fc.subarray([...RAIL_EVENTS], { minLength: 1 }), { nil: undefined }),
  })
  .map((over) => makeRecord(over));

describe("statistics of the last hour", () => {
  it("are those of the records, however often and in whatever parts these are delivered", async () => {
    const delivery = fc.array(fc.tuple(fc.constantFrom(A, B), recordArbitrary), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(delivery, fc.integer({ min: 1, max: 7 }), async (pairs, size) => {
        await database.pool.query("TRUNCATE usage_records, usage_minutes, usage_dirty_hours");
        const records = pairs.flatMap(([team, record]) => of(team, record));
        const batches = Array.from({ length: Math.ceil(records.length / size) }, (_, index) =>
          records.slice(index * size, (index + 1) * size),
        );
        // Each batch twice at once, then all of it again in another order.
        await Promise.all([...batches, ...batches.toReversed()].map(store));
        await store([...records.toReversed(), ...records]);
        const ofTeam = (team: string | null) =>
          pairs.flatMap(([owner, record]) => (team === null || owner === team ? [record] : []));
        for (const team of [A, B]) expectStats(await read(keyOf(team)), ofTeam(team));
        expectStats(await read(superAdmin), ofTeam(null));
        expectStats(await read(superAdmin, A), ofTeam(A));
      }),
      { numRuns: 40 },
    );
  });

  function expectStats(
    stats: Awaited<ReturnType<typeof readGatewayStats>>,
    records: readonly UsageRecord[],
  ): void {
    const answered = records.filter(({ status }) => status < 400);
    expect(stats).toMatchObject({
      requests: records.length,
      errors: records.length - answered.length,
      cached: records.filter(({ cached }) => cached).length,
      cacheMisses: records.filter(({ cacheMissed }) => cacheMissed).length,
      guardRails: Object.fromEntries(
        RAIL_EVENTS.map((name) => [
          name,
          records.filter(({ guardRails }) => guardRails?.includes(name)).length,
        ]),
      ),
    });
    const times = answered.map(({ latencyMs }) => latencyMs);
    const firsts = answered.flatMap(({ firstTokenMs: ms }) => (ms === null ? [] : [ms]));
    for (const [name, part] of [
      ["p50", 0.5],
      ["p95", 0.95],
      ["p99", 0.99],
    ] as const) {
      expectNear(stats.latency[name], times, part);
      expectNear(stats.firstToken[name], firsts, part);
    }
    for (const listed of stats.models)
      expect(listed.requests).toBe(records.filter(({ model }) => model === listed.model).length);
    for (const listed of stats.providers)
      expect(listed.requests).toBe(
        records.filter(({ provider }) => provider === listed.provider).length,
      );
  }

  it("count a record once when the same one is stored by several consumers at the same moment", async () => {
    const records = Array.from({ length: 200 }, (_, index) => [
      ...of(A, makeRecord({ at: at("10:30:00") - (index % 9) * 60_000 })),
      ...of(B, makeRecord({ at: at("10:30:00") - (index % 9) * 60_000 })),
    ]).flat();
    for (let round = 0; round < 5; round++)
      await Promise.all([
        store(records),
        store(records.toReversed()),
        store(records.toSorted(() => Math.random() - 0.5)),
      ]);
    expect((await read(superAdmin)).requests).toBe(400);
    expect((await read(keyOf(A))).requests).toBe(200);
  });

  it("begin with a whole minute and never look back further than an hour", async () => {
    const moments = ["09:30:25.600", "09:30:59.999", "09:31:00.000", "10:30:25.499"];
    await store(of(A, ...moments.map((time) => makeRecord({ at: at(time) }))));
    const stats = await read(keyOf(A));
    expect([stats.from.toISOString(), stats.requests]).toEqual(["2026-11-20T09:31:00.000Z", 2]);
    expect(stats.newestMinute).toEqual(new Date("2026-11-20T10:30:00.000Z"));
    const later = await read(keyOf(A), undefined, new Date("2026-11-20T11:30:00.000Z"));
    expect([later.requests, later.latency.p50, later.models]).toEqual([0, null, []]);
  });

  it("say nothing of an empty hour", async () => {
    const none = { p50: null, p95: null, p99: null };
    expect(await read(superAdmin)).toEqual({
      from: new Date("2026-11-20T09:31:00.000Z"),
      asOf: NOW,
      teamId: null,
      newestMinute: null,
      requests: 0,
      errors: 0,
      cached: 0,
      cacheMisses: 0,
      latency: none,
      firstToken: none,
      errorsBy: [],
      refusedBy: [],
      guardRails: { input_denied: 0, input_masked: 0, output_denied: 0, output_masked: 0 },
      models: [],
      providers: [],
    });
  });

  it("tell failures by status and code, and what limits refused by the limit", async () => {
    const refused = { at: NOW.getTime(), provider: null, status: 429, latencyMs: 0 };
    await store(
      of(
        A,
        makeRecord({ at: NOW.getTime(), latencyMs: 1_000 }),
        makeRecord({ ...refused, errorCode: "rate_limit_exceeded", refusedBy: "requests/minute" }),
        makeRecord({ ...refused, errorCode: "rate_limit_exceeded", refusedBy: "requests/minute" }),
        makeRecord({ ...refused, errorCode: "rate_limit_exceeded", refusedBy: "concurrency" }),
        makeRecord({ ...refused, errorCode: "insufficient_quota", refusedBy: "usd/month" }),
        makeRecord({ ...refused, provider: "test", errorCode: "provider_rate_limited" }),
      ),
    );
    const stats = await read(keyOf(A));
    expect(stats.refusedBy).toEqual([
      { unit: "requests", window: "minute", requests: 2 },
      { unit: "concurrency", window: null, requests: 1 },
      { unit: "usd", window: "month", requests: 1 },
    ]);
    expect(stats.errorsBy[0]).toEqual({ status: 429, code: "rate_limit_exceeded", requests: 3 });
    expect(stats.latency.p50).toBeGreaterThan(900); // what was refused at once is no fast answer
  });

  it("count no corrections of the Meter, and made-up models together", async () => {
    const made = { at: NOW.getTime(), status: 404, errorCode: "model_not_found", provider: null };
    await store(
      of(
        A,
        makeRecord({ at: NOW.getTime(), id: "lease_1", model: "unreported", estimated: true }),
        ...["x", "y", "z"].map((model) => makeRecord({ ...made, model })),
      ),
    );
    const { requests, models } = await read(keyOf(A));
    expect([requests, models.map(({ model }) => model)]).toEqual([3, [null]]);
    const { rows } = await database.pool.query("SELECT team_id FROM usage_minutes ORDER BY 1");
    expect(rows.map((row: { team_id: string }) => row.team_id)).toEqual(["", A]);
  });

  it("are a team's own: another team is not found, and its models are not named", async () => {
    await store(of(B, makeRecord({ at: NOW.getTime(), model: "secret-of-b", provider: "of-b" })));
    expect(JSON.stringify(await read(keyOf(A)))).not.toContain("of-b");
    await expect(read(keyOf(A), B)).rejects.toMatchObject({ code: "not_found" });
    await expect(read(keyOf(A), "team_x")).rejects.toMatchObject({ code: "not_found" });
    const chat = { kind: "telegram", teamId: A, chatId: "1", endUser: "1" } as const;
    await expect(read({ ...chat, scopes: ["usage:read"] })).rejects.toMatchObject({
      code: "forbidden",
    });
    const blind = { ...keyOf(A), scopes: ["chat"] } as Principal;
    await expect(read(blind)).rejects.toMatchObject({ code: "missing_scope" });
  });
});

it("counts by the minute go when they are old enough, and no others", async () => {
  const old = makeRecord({ at: at("08:00:00") });
  await store(of(A, old, makeRecord({ at: NOW.getTime() })));
  const before = new Date(at("08:01:00"));
  const deadline = new Date("2100-01-01T00:00:00Z");
  expect(await purgeMinutes(database.context(), { before, deadline })).toEqual({
    rows: 2, // of the team, and of all teams
    more: false,
  });
  expect((await read(keyOf(A))).requests).toBe(1);
});
