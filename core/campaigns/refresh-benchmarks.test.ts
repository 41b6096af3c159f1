import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { addCampaign, addTeam, factColumns, keyOf, type TestFact } from "#test/campaigns/facts.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { OWN_HISTORY } from "./benchmarks/benchmark.ts";
import { PUBLISHED } from "./benchmarks/published.ts";
import { listBenchmarks } from "./list-benchmarks.ts";
import { toMetricsAnswer } from "./metrics-answer.ts";
import { readMetrics, readMetricsInput } from "./read-metrics.ts";
import { refreshBenchmarks } from "./refresh-benchmarks.ts";
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
const refresh = () => refreshBenchmarks(database.context(), { deadline: far });
const context = (team = "team_a") => database.context({ principal: keyOf(team) });
const own = async (team = "team_a") =>
  (await listBenchmarks(context(team), {})).filter(({ id }) => id === OWN_HISTORY);
const add = (over: { platform?: string; currency?: string } = {}) =>
  addCampaign(database.pool, "team_a", over);

it("computes what a team's campaigns reached from sums, by platform, over all and apart by currency", async () => {
  const search = await add();
  const social = await add({ platform: "meta", currency: "EUR" });
  await store([
    {
      campaign: search.number,
      day: "2026-11-01",
      impressions: 1000,
      clicks: 100,
      spend: 50,
      revenue: 100,
    },
    { campaign: search.number, day: "2026-07-01", impressions: 1000, clicks: 900, spend: 900 },
    {
      campaign: social.number,
      day: "2026-11-01",
      impressions: 3000,
      clicks: 100,
      spend: 30,
      revenue: null,
    },
  ]);
  // As days are of which facts were taken away.
  await database.pool.query(
    "INSERT INTO campaign_dirty_days SELECT DISTINCT campaign, day FROM campaign_facts",
  );
  await database.pool.query("UPDATE campaign_days SET clicks = 1");
  expect(await refresh()).toMatchObject({ teams: 1, days: 3, more: false });
  const found = await own();
  const value = (platform: string | null, metric: string, currency: string | null = null) =>
    found.find(
      (one) => one.platform === platform && one.metric === metric && one.currency === currency,
    )?.value;
  expect(value("google_ads", "ctr")).toBe(0.1); // what is older than 90 days does not count
  expect(value(null, "ctr")).toBe(0.05);
  expect(value("google_ads", "cpc", "USD")).toBe(0.5);
  expect(value("meta", "cpc", "EUR")).toBe(0.3);
  expect([value(null, "cpc", "USD"), value(null, "cpc", "EUR"), value(null, "cpc")]).toEqual([
    0.5,
    0.3,
    undefined,
  ]);
  expect([value(null, "roas", "USD"), value(null, "roas", "EUR")]).toEqual([2, undefined]);
  expect(value("google_ads", "cpa", "USD")).toBeUndefined();
  expect(found[0]).toMatchObject({
    period: { from: "2026-08-04", to: "2026-11-01" },
    median: null,
    sample: "2 campaigns",
  });
  expect(await own("team_b")).toEqual([]);
});

it("has quartiles where campaigns are enough, and replaces what it computed before", async () => {
  const made = await Promise.all([1, 2, 3, 4, 5].map(() => add()));
  await store(
    made.map(({ number }, index) => ({
      campaign: number,
      day: "2026-11-01",
      impressions: 1000,
      clicks: (index + 1) * 10,
    })),
  );
  await refresh();
  expect(await own()).toContainEqual(
    expect.objectContaining({
      platform: null,
      metric: "ctr",
      value: 0.03,
      low: 0.02,
      median: 0.03,
      high: 0.04,
    }),
  );
  await database.pool.query("DELETE FROM campaigns WHERE number <> $1", [made[0]?.number]);
  await refresh();
  expect((await own()).map(({ metric, value, sample }) => [metric, value, sample])).toContainEqual([
    "ctr",
    0.01,
    "1 campaigns",
  ]);
  await database.pool.query("DELETE FROM campaigns");
  await database.pool.query("DELETE FROM teams");
  expect(await refresh()).toMatchObject({ teams: 0, more: false });
});

it("stops at its deadline, and goes on after the last team that it did", async () => {
  const other = await addCampaign(database.pool, "team_b");
  const mine = await add();
  await store([{ campaign: mine.number, day: "2026-11-01", impressions: 10, clicks: 1 }]);
  await store(
    [{ campaign: other.number, day: "2026-11-01", impressions: 10, clicks: 1 }],
    "team_b",
  );
  const past = await refreshBenchmarks(database.context(), { deadline: new Date(0) });
  expect(past).toEqual({ teams: 0, days: 0, more: true, last: "" });
  await refresh();
  await database.pool.query("DELETE FROM campaign_benchmarks");
  await refreshBenchmarks(database.context(), { deadline: far, after: "team_a" });
  expect((await own()).length).toBe(0);
  expect((await own("team_b")).length).toBeGreaterThan(0);
});

it("puts rows beside the benchmarks of their platform, with whose they are", async () => {
  const search = await add();
  const social = await add({ platform: "meta", currency: "EUR" });
  await store([
    { campaign: search.number, day: "2026-11-01", impressions: 10_000, clicks: 313, spend: 100 },
    { campaign: social.number, day: "2026-11-01", impressions: 10_000, clicks: 300, spend: 100 },
  ]);
  await refresh();
  const input = readMetricsInput.parse({ group_by: "platform", compare: "benchmark" });
  const answer = toMetricsAnswer(await readMetrics(context(), input, { limit: 10 }));
  const [google, meta] = answer.data;
  const ctr = google?.benchmarks?.filter(({ metric }) => metric === "ctr");
  expect(ctr?.map(({ benchmark, relative }) => [benchmark, relative])).toEqual([
    [OWN_HISTORY, 0],
    ["wordstream_search_2026", -0.528614],
    ["wordstream_search_2023", -0.487725],
    ["worldmetrics_search_2023", 0],
  ]);
  // Amounts in euros have nothing to do with figures in dollars.
  expect(
    new Set(
      meta?.benchmarks?.filter(({ metric }) => metric === "cpc").map(({ benchmark }) => benchmark),
    ),
  ).toEqual(new Set([OWN_HISTORY]));
  expect(
    answer.totals.every(({ benchmarks }) =>
      benchmarks?.every(({ benchmark }) => benchmark === OWN_HISTORY),
    ),
  ).toBe(true);
  expect(
    answer.benchmarks?.every(({ source, platform }) => source !== "" && platform !== "linkedin"),
  ).toBe(true);
});

it("ships figures that each say whose they are, from when and where", () => {
  expect(new Set(PUBLISHED.map(({ id }) => id)).size).toBe(PUBLISHED.length);
  for (const { source, url, published, period, figures, sample } of PUBLISHED) {
    expect([source, sample].every((text) => text.length > 5)).toBe(true);
    expect(new URL(url).protocol).toBe("https:");
    expect(published).toBeGreaterThan(2015);
    if (period) expect(period.from < period.to).toBe(true);
    for (const { value, low, high } of figures)
      expect(value !== null || (low !== undefined && high !== undefined && low < high)).toBe(true);
  }
});
