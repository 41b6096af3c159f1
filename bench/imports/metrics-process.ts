// A process of its own: stores facts as an import does, chunk by chunk, and asks for metrics in the middle and at the end.
// Prints one line of JSON.
import { readMetrics, readMetricsInput } from "../../core/campaigns/read-metrics.ts";
import { storeNewFacts } from "../../core/campaigns/store-facts.ts";
import { addCampaign, addTeam, factColumns, keyOf } from "../../test/campaigns/facts.ts";
import { startPostgresServer } from "../../test/harness/postgres.ts";
import { openTestDatabase } from "../../test/usage/database.ts";
import { METRIC_QUERIES, type MetricQuery, metricTimes } from "./metric-queries.ts";

const CAMPAIGNS = 200;
const DAYS = 400;
const PLATFORMS = ["google_ads", "meta", "tiktok"];
const TIMES = 5;

const ads = Number(process.argv[2]);
const server = await startPostgresServer();
const database = await openTestDatabase(server);
try {
  await addTeam(database.pool, "team_bench");
  const campaigns: { id: string; number: number }[] = [];
  while (campaigns.length < CAMPAIGNS) {
    const platform = PLATFORMS[campaigns.length % PLATFORMS.length] ?? "";
    campaigns.push(await addCampaign(database.pool, "team_bench", { platform }));
  }
  const context = database.context({ principal: keyOf("team_bench") });
  const days = Array.from({ length: DAYS }, (_, index) =>
    new Date(Date.UTC(2025, 9, 1 + index)).toISOString().slice(0, 10),
  );
  const times: Record<string, number> = {};
  for (const [index, { number }] of campaigns.entries()) {
    // Sorted by campaign and ad, as exports are: each chunk is about all days.
    const facts = Array.from({ length: ads }, (_, ad) =>
      days.map((day, at) => ({
        campaign: number,
        day,
        adGroup: `Ad group ${ad % 10}`,
        ad: `Ad ${ad}`,
        impressions: 1_000 + ((at * 7 + ad) % 900),
        clicks: (at + ad) % 90,
        spend: ((at * ad) % 10_000) / 100,
        conversions: ad % 5,
        revenue: at % 77,
      })),
    ).flat();
    await storeNewFacts(context.db, "team_bench", 1, factColumns(facts));
    if (index === CAMPAIGNS / 2) times["in the middle"] = await ask(METRIC_QUERIES["400 days"]);
  }
  await database.pool.query("VACUUM ANALYZE"); // as Postgres does by itself after a while
  for (const [name, query] of Object.entries(METRIC_QUERIES)) times[name] = await ask(query);
  console.log(JSON.stringify(metricTimes.parse(times)));

  /** The median of several, in milliseconds. */
  async function ask({ one, ...query }: MetricQuery): Promise<number> {
    const input = {
      ...readMetricsInput.parse(query),
      ...(one === true ? { campaign_id: campaigns[7]?.id } : {}),
    };
    const took: number[] = [];
    while (took.length < TIMES) {
      const begun = performance.now();
      await readMetrics(context, input, { limit: 100 });
      took.push(performance.now() - begun);
    }
    return took.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] ?? Number.NaN;
  }
} finally {
  await database.drop();
  await server.stop();
}
