import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { addCampaign, addTeam, factColumns, keyOf, type TestFact } from "#test/campaigns/facts.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { toMetricsAnswer } from "./metrics-answer.ts";
import { readMetrics, readMetricsInput } from "./read-metrics.ts";
import { rollUpDays } from "./roll-up-days.ts";
import { storeFacts } from "./store-facts.ts";

let database: TestDatabase;
const far = new Date("2100-01-01T00:00:00Z");

beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("DELETE FROM teams");
  await addTeam(database.pool, "team_a");
  await addTeam(database.pool, "team_b");
});

let file = 0;
const store = (facts: TestFact[], team = "team_a") =>
  storeFacts(database.context().db, team, ++file, factColumns(facts));
const rollUp = () => rollUpDays(database.context(), { teamId: null, deadline: far });
/** Sums that nobody may read, of days that say so. */
const makeDirty = async (which = "true") => {
  await database.pool.query(
    `INSERT INTO campaign_dirty_days SELECT DISTINCT campaign, day FROM campaign_facts WHERE ${which}`,
  );
  await database.pool.query(`UPDATE campaign_days SET impressions = 1, clicks = 1 WHERE ${which}`);
};
const metrics = async (
  query: Record<string, string>,
  {
    team = "team_a",
    campaign,
    limit = 1000,
    cursor,
  }: { team?: string; campaign?: string; limit?: number; cursor?: string } = {},
) => {
  const context = database.context({
    principal: keyOf(team),
    now: new Date("2026-11-21T12:00:00Z"),
  });
  const input = { ...readMetricsInput.parse(query), campaign_id: campaign };
  return toMetricsAnswer(await readMetrics(context, input, { limit, cursor }));
};

it("makes ratios from sums, not from ratios", async () => {
  const { number } = await addCampaign(database.pool, "team_a");
  await store([
    {
      campaign: number,
      day: "2026-11-01",
      impressions: 1000,
      clicks: 100,
      spend: 10,
      conversions: 1,
      revenue: 30,
    },
    {
      campaign: number,
      day: "2026-11-02",
      impressions: 9000,
      clicks: 100,
      spend: 20,
      conversions: 2.5,
      revenue: 0,
    },
  ]);
  const { totals, data, period } = await metrics({ from: "2026-11-01", to: "2026-11-30" });
  expect(period).toEqual({ from: "2026-11-01", to: "2026-11-30" });
  expect(data.map(({ day, ctr }) => [day, ctr])).toEqual([
    ["2026-11-01", 0.1],
    ["2026-11-02", 0.011111],
  ]);
  expect(totals).toEqual([
    {
      currency: "USD",
      impressions: 10_000,
      clicks: 200,
      spend: "30.00",
      conversions: 3.5,
      revenue: "30.00",
      ctr: 0.02,
      cpc: "0.15",
      cpm: "3.00",
      cvr: 0.0175,
      cpa: "8.571429",
      roas: 1,
    },
  ]);
});

it("gives no value where a denominator is 0 or no file says one of the two", async () => {
  const { number } = await addCampaign(database.pool, "team_a");
  await store([
    {
      campaign: number,
      day: "2026-11-01",
      impressions: 10,
      clicks: 0,
      spend: 5,
      conversions: 0,
      revenue: null,
    },
  ]);
  const { totals } = await metrics({ from: "2026-11-01", to: "2026-11-01" });
  expect(totals[0]).toMatchObject({
    ctr: 0,
    cpc: null,
    cvr: null,
    cpa: null,
    roas: null,
    revenue: null,
  });
});

it("never adds amounts of different currencies up", async () => {
  const dollars = await addCampaign(database.pool, "team_a", { name: "One", currency: "USD" });
  const euros = await addCampaign(database.pool, "team_a", { name: "One", currency: "EUR" });
  const day = "2026-11-01";
  await store([
    { campaign: dollars.number, day, spend: 10, clicks: 1 },
    { campaign: euros.number, day, spend: 7, clicks: 2 },
  ]);
  for (const group_by of ["day", "platform", "month"]) {
    const { totals, data } = await metrics({ group_by, from: day, to: day });
    for (const rows of [totals, data])
      expect(rows.map(({ currency, spend }) => [currency, spend])).toEqual([
        ["EUR", "7.00"],
        ["USD", "10.00"],
      ]);
  }
  const { totals } = await metrics({ currency: "EUR", from: day, to: day });
  expect(totals).toMatchObject([{ currency: "EUR", clicks: 2 }]);
});

it("reads its own team's campaigns only, whatever the filter says", async () => {
  const other = await addCampaign(database.pool, "team_b", { name: "Theirs" });
  await store([{ campaign: other.number, day: "2026-11-01", clicks: 5 }], "team_b");
  const range = { from: "2026-11-01", to: "2026-11-01" };
  expect((await metrics({ ...range, search: "Theirs" })).totals).toEqual([]);
  await expect(metrics(range, { campaign: other.id })).rejects.toMatchObject({ code: "not_found" });
  expect((await metrics(range, { campaign: other.id, team: "team_b" })).totals).toMatchObject([
    { clicks: 5 },
  ]);
});

it("takes a filter's signs as they are", async () => {
  const { number } = await addCampaign(database.pool, "team_a", {
    name: "50% off_now'; DROP TABLE teams",
  });
  const plain = await addCampaign(database.pool, "team_a", { name: "500 offXnow" });
  const day = "2026-11-01";
  await store([
    { campaign: number, day, clicks: 1 },
    { campaign: plain.number, day, clicks: 10 },
  ]);
  for (const search of ["50% off", "off_now", "'; DROP"])
    expect((await metrics({ search, from: day, to: day })).totals).toMatchObject([{ clicks: 1 }]);
});

it("ends with the last day that has facts where nobody says when, also before they are rolled up", async () => {
  const { number } = await addCampaign(database.pool, "team_a");
  await store([{ campaign: number, day: "2025-03-10", clicks: 1 }]);
  expect((await metrics({})).period).toEqual({ from: "2025-02-09", to: "2025-03-10" });
  await rollUp();
  expect((await metrics({})).period).toEqual({ from: "2025-02-09", to: "2025-03-10" });
  expect((await metrics({}, { team: "team_b" })).period.to).toBe("2026-11-21");
});

it("compares each group with its place in the period before, new and vanished ones too", async () => {
  const steady = await addCampaign(database.pool, "team_a", { name: "Steady" });
  const fresh = await addCampaign(database.pool, "team_a", { name: "Fresh" });
  const gone = await addCampaign(database.pool, "team_a", { name: "Gone" });
  await store([
    { campaign: steady.number, day: "2026-11-01", clicks: 10, impressions: 100 },
    { campaign: steady.number, day: "2026-11-08", clicks: 15, impressions: 100 },
    { campaign: fresh.number, day: "2026-11-09", clicks: 3 },
    { campaign: gone.number, day: "2026-11-02", clicks: 4 },
  ]);
  const range = { from: "2026-11-08", to: "2026-11-14", compare: "previous" };
  const byCampaign = await metrics({ ...range, group_by: "campaign", sort: "clicks" });
  expect(byCampaign.previous_period).toEqual({ from: "2026-11-01", to: "2026-11-07" });
  expect(
    byCampaign.data.map((row) => [
      row.campaign,
      row.clicks,
      row.previous?.clicks,
      row.change?.clicks,
    ]),
  ).toEqual([
    ["Steady", 15, 10, 0.5],
    ["Fresh", 3, null, null],
    ["Gone", null, 4, null],
  ]);
  expect(byCampaign.data[0]?.change?.ctr).toBe(0.5);
  const byDay = await metrics({ ...range, group_by: "day" });
  expect(byDay.data.map((row) => [row.day, row.clicks, row.previous?.clicks])).toEqual([
    ["2026-11-08", 15, 10],
    ["2026-11-09", 3, 4],
  ]);
});

it("gives pages that together are the whole, in every order", async () => {
  const campaigns = await Promise.all(
    Array.from({ length: 7 }, (_, index) =>
      addCampaign(database.pool, "team_a", { name: `C${index}` }),
    ),
  );
  await store(
    campaigns.flatMap(({ number }, index) =>
      ["2026-11-01", "2026-11-02"].map((day) => ({
        campaign: number,
        day,
        adGroup: `گروه ${index % 3}`,
        clicks: index % 3,
        spend: index === 6 ? null : 1,
      })),
    ),
  );
  const range = { from: "2026-11-01", to: "2026-11-02", group_by: "campaign,ad_group,day" };
  for (const sort of ["group", "clicks", "spend"]) {
    const whole = await metrics({ ...range, sort });
    expect(whole.data).toHaveLength(14);
    const paged: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await metrics({ ...range, sort }, { limit: 3, ...(cursor ? { cursor } : {}) });
      paged.push(...page.data);
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    expect(paged).toEqual(whole.data);
  }
});

it("refuses a period that is backwards or too long", async () => {
  await expect(metrics({ from: "2026-11-02", to: "2026-11-01" })).rejects.toMatchObject({
    code: "validation_failed",
  });
  await expect(metrics({ from: "2000-01-01", to: "2026-11-01" })).rejects.toMatchObject({
    code: "validation_failed",
  });
});

const factsOf = (campaigns: number[]) =>
  fc.uniqueArray(
    fc.record({
      campaign: fc.constantFrom(...campaigns),
      day: fc.integer({ min: 1, max: 28 }).map((day) => `2026-02-${String(day).padStart(2, "0")}`),
      adGroup: fc.constantFrom("", "a", "b"),
      impressions: fc.option(fc.bigInt({ min: 0n, max: 10n ** 12n })),
      clicks: fc.option(fc.integer({ min: 0, max: 1e9 })),
      spend: fc.option(fc.integer({ min: 0, max: 1e9 }).map((cents) => cents / 100)),
      conversions: fc.option(fc.integer({ min: 0, max: 1e6 }).map((parts) => parts / 1000)),
      revenue: fc.option(fc.integer({ min: 0, max: 1e9 }).map((cents) => cents / 100)),
    }),
    {
      selector: ({ campaign, day, adGroup }) => `${campaign} ${day} ${adGroup}`,
      minLength: 1,
      maxLength: 60,
    },
  );

it("sums to the same whatever it is grouped by, rolled up, half of it or not at all", async () => {
  const made = await Promise.all([
    addCampaign(database.pool, "team_a", { name: "A", platform: "meta" }),
    addCampaign(database.pool, "team_a", { name: "B", platform: "google_ads" }),
    addCampaign(database.pool, "team_a", { name: "C", platform: "google_ads", currency: "IRR" }),
  ]);
  const units = (value: number | string) => {
    const [whole = "", fraction = ""] = String(value).split(".");
    return BigInt(whole + fraction.padEnd(6, "0"));
  };
  const sum = (values: (number | string | null | undefined)[]) =>
    values.every((value) => value == null)
      ? null
      : values.reduce<bigint>((total, value) => total + (value == null ? 0n : units(value)), 0n);
  await fc.assert(
    fc.asyncProperty(
      factsOf(made.map(({ number }) => number)),
      fc.constantFrom("none", "half", "all"),
      async (facts, rolled) => {
        await database.pool.query("TRUNCATE campaign_facts, campaign_days, campaign_dirty_days");
        await store(rolled === "half" ? facts.slice(0, facts.length / 2) : facts);
        if (rolled !== "all") await makeDirty();
        if (rolled === "half") await rollUp();
        if (rolled === "half") await store(facts);
        if (rolled === "half") await makeDirty("day < '2026-02-15'");
        const range = { from: "2026-02-01", to: "2026-02-28" };
        const { totals } = await metrics(range);
        for (const group_by of [
          "day",
          "week",
          "month",
          "platform",
          "campaign,day",
          "ad_group",
          "ad_group,week",
        ]) {
          const { data } = await metrics({ ...range, group_by });
          for (const total of totals) {
            const rows = data.filter(({ currency }) => currency === total.currency);
            for (const name of [
              "impressions",
              "clicks",
              "spend",
              "conversions",
              "revenue",
            ] as const)
              expect([group_by, name, sum(rows.map((row) => row[name]))]).toEqual([
                group_by,
                name,
                sum([total[name]]),
              ]);
          }
        }
        const dollars = facts.filter(({ campaign }) => campaign !== made[2]?.number);
        expect(totals.find(({ currency }) => currency === "USD")?.clicks ?? null).toBe(
          dollars.every(({ clicks }) => clicks === null)
            ? null
            : dollars.reduce((all, { clicks }) => all + (clicks ?? 0), 0),
        );
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
