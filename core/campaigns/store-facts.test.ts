import { eq } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { teams } from "#schema";
import { addCampaign, addTeam, factColumns, type TestFact } from "#test/campaigns/facts.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { rollUpDays } from "./roll-up-days.ts";
import { storeFacts, storeNewFacts } from "./store-facts.ts";

let database: TestDatabase;
let campaign: { id: string; number: number };
const far = new Date("2100-01-01T00:00:00Z");

beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("DELETE FROM teams");
  await addTeam(database.pool, "team_a");
  await addTeam(database.pool, "team_b");
  campaign = await addCampaign(database.pool, "team_a");
});

const rows = async <Row>(query: string): Promise<Row[]> => (await database.pool.query(query)).rows;
const count = async (table: string) =>
  Number((await rows<{ count: string }>(`SELECT count(*) FROM ${table}`))[0]?.count);
const store = (facts: TestFact[], team = "team_a", file = 1) =>
  storeFacts(database.context().db, team, file, factColumns(facts));
const rollUp = () => rollUpDays(database.context(), { teamId: null, deadline: far });
const markAll = () =>
  database.pool.query(
    "INSERT INTO campaign_dirty_days SELECT DISTINCT campaign, day FROM campaign_facts ON CONFLICT DO NOTHING",
  );
/** Days without a mark whose sums are not those of their facts, and campaigns whose ends are not. */
const wrong = () =>
  rows(
    `SELECT campaign::int, day::text FROM (
       SELECT campaign, day, sum(impressions) AS i, sum(clicks) AS c, sum(spend_micros) AS s,
         sum(conversion_micros) AS v, sum(revenue_micros) AS r
       FROM campaign_facts GROUP BY campaign, day
     ) AS facts FULL JOIN campaign_days USING (campaign, day)
     WHERE (i, c, s, v, r) IS DISTINCT FROM
         (impressions, clicks, spend_micros, conversion_micros, revenue_micros)
       AND NOT EXISTS (SELECT 1 FROM campaign_dirty_days AS dirty WHERE (dirty.campaign, dirty.day) = (facts.campaign, facts.day))
     UNION ALL
     SELECT number::int, 'ends' FROM campaigns JOIN (
       SELECT campaign, min(day) AS first, max(day) AS last FROM campaign_facts GROUP BY campaign
     ) AS ends ON campaign = number WHERE (first_day, last_day) IS DISTINCT FROM (first, last)`,
  );
const days = () =>
  rows<Record<string, string | null>>(
    `SELECT day::text, impressions, spend_micros, conversion_micros, revenue_micros FROM campaign_days ORDER BY campaign, day`,
  );
const fact = (over: Partial<TestFact> = {}): TestFact => ({
  campaign: campaign.number,
  day: "2026-11-01",
  impressions: 100,
  clicks: 10,
  spend: 5.25,
  conversions: 1.5,
  revenue: 20,
  ...over,
});

it("says the same when the same file comes twice, also where a file says a thing in parts", async () => {
  const file = [fact({ ad: "one" }), fact({ ad: "two", revenue: null })];
  const import_ = async (number: number) => {
    await store(file, "team_a", number);
    await store(
      [fact({ ad: "one", clicks: 0 }), fact({ ad: "two", spend: null })],
      "team_a",
      number,
    );
    await rollUp();
  };
  await import_(1);
  const once = await days();
  expect(once).toEqual([
    {
      day: "2026-11-01",
      impressions: "400",
      spend_micros: "15750000",
      conversion_micros: "6000000",
      revenue_micros: "60000000",
    },
  ]);
  await import_(2);
  expect(await days()).toEqual(once);
});

it("takes what a later file says of the same ad and day, also where it no longer says something", async () => {
  await store([fact()]);
  await rollUp();
  expect(await store([fact({ revenue: null })], "team_a", 2)).toEqual({ changed: 1, orphaned: 0 });
  await rollUp();
  expect(await days()).toMatchObject([{ day: "2026-11-01", revenue_micros: null }]);
  expect(await rows("SELECT import_number FROM campaign_facts")).toEqual([{ import_number: 2 }]);
});

it("sums a campaign's day exactly, and keeps what nobody said apart from nothing", async () => {
  await store([
    fact({ ad: "one", conversions: 0.1, revenue: null }),
    fact({ ad: "two", conversions: 0.2, revenue: null }),
    fact({ ad: "three", impressions: 9_007_199_254_740_993n, spend: 0.000001, revenue: null }),
  ]);
  const summed = [
    {
      day: "2026-11-01",
      impressions: "9007199254741193",
      spend_micros: "10500001",
      conversion_micros: "1800000",
      revenue_micros: null,
    },
  ];
  expect(await days()).toEqual(summed);
  expect(await count("campaign_dirty_days")).toBe(0);
  await database.pool.query("UPDATE campaign_days SET impressions = 1");
  await markAll();
  expect(await rollUp()).toEqual({ days: 1, more: false });
  expect(await days()).toEqual(summed);
});

it("writes nothing into another team's campaign, nor into none", async () => {
  const stored = await store([fact(), fact({ campaign: 987_654 })], "team_b");
  expect(stored).toEqual({ changed: 0, orphaned: 2 });
  expect(await count("campaign_facts")).toBe(0);
});

it("tells of a campaign when its first and last day are", async () => {
  const ends = () => rows("SELECT first_day::text, last_day::text FROM campaigns");
  await store([fact({ day: "2026-11-03" }), fact({ day: "2026-10-05" })]);
  expect(await ends()).toEqual([{ first_day: "2026-10-05", last_day: "2026-11-03" }]);
  await store([fact({ day: "2026-10-20" })]);
  expect(await ends()).toEqual([{ first_day: "2026-10-05", last_day: "2026-11-03" }]);
  await database.pool.query("UPDATE campaigns SET first_day = NULL, last_day = '2026-10-10'");
  await markAll();
  await rollUp();
  expect(await ends()).toEqual([{ first_day: "2026-10-05", last_day: "2026-11-03" }]);
});

it("takes facts, sums and marks away with the team", async () => {
  await store([fact(), fact({ day: "2026-11-02" })]);
  await rollUp();
  await store([fact({ clicks: 11 })]);
  const other = await addCampaign(database.pool, "team_b");
  await store([fact({ campaign: other.number })], "team_b");
  await markAll();
  await database.context().db.delete(teams).where(eq(teams.id, "team_a"));
  expect(await rows("SELECT campaign::int FROM campaign_facts")).toEqual([
    { campaign: other.number },
  ]);
  expect(await rows("SELECT campaign::int FROM campaign_days")).toEqual([
    { campaign: other.number },
  ]);
  expect(await rows("SELECT campaign::int FROM campaign_dirty_days")).toEqual([
    { campaign: other.number },
  ]);
});

it("leaves no fact behind when a campaign is deleted while an import writes to it", async () => {
  const client = await database.pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("DELETE FROM campaigns WHERE id = $1", [campaign.id]);
    const storing = store([fact()]);
    await database.someoneWaits();
    await client.query("COMMIT");
    expect(await storing).toEqual({ changed: 0, orphaned: 1 });
    expect(await count("campaign_facts")).toBe(0);
  } finally {
    client.release();
  }
});

it("loses no fact that is written while its day is being summed", async () => {
  await store([fact({ ad: "one" })]);
  await markAll();
  const client = await database.pool.connect();
  try {
    await client.query("BEGIN");
    // As the roll-up does it: the campaign is held, its sums are made and the mark is removed.
    await client.query("SELECT 1 FROM campaigns FOR NO KEY UPDATE");
    const storing = store([fact({ ad: "two" })]);
    await database.someoneWaits();
    await client.query(
      "UPDATE campaign_days SET impressions = (SELECT sum(impressions) FROM campaign_facts)",
    );
    await client.query("DELETE FROM campaign_dirty_days");
    await client.query("COMMIT");
    expect((await storing).changed).toBe(1);
    expect(await wrong()).toEqual([]);
    await rollUp();
    expect(await days()).toMatchObject([{ impressions: "200" }]);
  } finally {
    client.release();
  }
});

it("keeps the sums of days right whatever files say, before they are rolled up, half of it and after", async () => {
  const other = await addCampaign(database.pool, "team_a");
  const said = fc.option(fc.integer({ min: -5, max: 1_000 }), { freq: 2 });
  const file = fc.record({
    number: fc.integer({ min: 1, max: 3 }),
    rolled: fc.boolean(),
    facts: fc.uniqueArray(
      fc.record({
        campaign: fc.constantFrom(campaign.number, other.number),
        day: fc.constantFrom("2026-11-01", "2026-11-02", "2026-12-31"),
        adGroup: fc.constantFrom("", "a", "گروه"),
        ad: fc.constantFrom("", "x"),
        impressions: said,
        clicks: said,
        spend: said,
        conversions: said,
        revenue: said,
      }),
      {
        selector: ({ campaign: of, day, adGroup, ad }) => `${of} ${day} ${adGroup} ${ad}`,
        maxLength: 12,
      },
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { maxLength: 6 }), async (files) => {
      await database.pool.query("TRUNCATE campaign_facts, campaign_days, campaign_dirty_days");
      await database.pool.query("UPDATE campaigns SET first_day = NULL, last_day = NULL");
      for (const { number, rolled, facts } of files) {
        await store(facts, "team_a", number);
        expect(await wrong()).toEqual([]);
        if (rolled) await rollUp();
      }
      await rollUp();
      expect(await count("campaign_dirty_days")).toBe(0);
      expect(await wrong()).toEqual([]);
    }),
    { numRuns: 60 },
  );
}, 120_000);

it("adds up what is new to whom it knows is new, and leaves all as it was where it is not", async () => {
  const { db } = database.context();
  await storeNewFacts(db, "team_a", 1, factColumns([fact({ ad: "one" })]));
  await storeNewFacts(db, "team_a", 1, factColumns([fact({ ad: "two", revenue: null })]));
  expect(await days()).toMatchObject([{ impressions: "200", revenue_micros: "20000000" }]);
  const again = storeNewFacts(
    db,
    "team_a",
    2,
    factColumns([fact({ ad: "new" }), fact({ ad: "one" })]),
  );
  await expect(again).rejects.toThrow();
  expect(await days()).toMatchObject([{ impressions: "200", revenue_micros: "20000000" }]);
  expect(await wrong()).toEqual([]);
});

it("lets imports with the same rows in opposite orders, and roll-ups, run at once", async () => {
  const others = await Promise.all([1, 2, 3].map(() => addCampaign(database.pool, "team_a")));
  const numbers = [campaign, ...others].map(({ number }) => number);
  const file = (clicks: number) =>
    numbers.flatMap((number) =>
      Array.from({ length: 25 }, (_, index) =>
        fact({
          campaign: number,
          day: `2026-11-${String(index + 1).padStart(2, "0")}`,
          clicks,
        }),
      ),
    );
  for (let round = 1; round <= 5; round++) {
    await Promise.all([
      store(file(round), "team_a", 10 * round),
      store(file(round).toReversed(), "team_a", 10 * round + 1),
      rollUp(),
      store(
        file(round).toSorted(() => Math.random() - 0.5),
        "team_a",
        10 * round + 2,
      ),
      rollUp(),
    ]);
  }
  expect(await wrong()).toEqual([]);
  await rollUp();
  const [sums] = await rows<{ clicks: string; days: string }>(
    "SELECT sum(clicks) AS clicks, count(*) AS days FROM campaign_days",
  );
  expect(sums).toEqual({ clicks: "500", days: "100" });
});

it("rolls up only what the deadline leaves time for, and goes on the next time", async () => {
  await store([fact()]);
  await markAll();
  const past = await rollUpDays(database.context(), { teamId: null, deadline: new Date(0) });
  expect(past).toEqual({ days: 0, more: true });
  expect(await rollUpDays(database.context(), { teamId: "team_b", deadline: far })).toEqual({
    days: 0,
    more: false,
  });
  expect(await rollUpDays(database.context(), { teamId: "team_a", deadline: far })).toEqual({
    days: 1,
    more: false,
  });
});
