import { asc, eq } from "drizzle-orm";
import { z } from "zod";
import { campaignBenchmarks } from "#schema";
import type { Context } from "../kernel/context.ts";
import { type Benchmark, OWN_HISTORY } from "./benchmarks/benchmark.ts";
import {
  PUBLISHED,
  type PublishedBenchmark,
  type PublishedFigure,
} from "./benchmarks/published.ts";
import { campaignTeam } from "./campaign.ts";
import { isMoney } from "./metrics/metric-values.ts";
import { RATIO_NAMES } from "./metrics/ratios.ts";

const isRatio = z.enum(RATIO_NAMES);

export const listBenchmarksInput = z.object({
  platform: z.string().max(100).optional().describe("Such as `google_ads`"),
  metric: isRatio.optional(),
});

/**
 * What campaigns can be compared with: the team's own history first, as refreshBenchmarks last computed it, then published
 * figures, the newest first. Published ones disagree, so each has its source and period. Needs the scope `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `invalid_request`
 */
export async function listBenchmarks(
  context: Context,
  input: z.output<typeof listBenchmarksInput>,
): Promise<Benchmark[]> {
  const teamId = campaignTeam(context.principal);
  const rows = await context.db
    .select()
    .from(campaignBenchmarks)
    .where(eq(campaignBenchmarks.teamId, teamId))
    .orderBy(
      asc(campaignBenchmarks.platform),
      asc(campaignBenchmarks.currency),
      asc(campaignBenchmarks.metric),
    );
  const all = [
    ...rows.map(toOwn),
    ...PUBLISHED.toSorted((one, other) => other.published - one.published).flatMap((benchmark) =>
      benchmark.figures.map((figure) => toPublished(benchmark, figure)),
    ),
  ];
  return all.filter(
    ({ platform, metric }) =>
      (input.platform === undefined || platform === input.platform) &&
      (input.metric === undefined || metric === input.metric),
  );
}

/** To six decimals, as everything else. */
const rounded = (value: number | null) => (value === null ? null : Number(value.toFixed(6)));

function toOwn(row: typeof campaignBenchmarks.$inferSelect): Benchmark {
  return {
    id: OWN_HISTORY,
    source: "The team's own campaigns",
    url: null,
    period: { from: row.firstDay, to: row.lastDay },
    published: null,
    platform: row.platform === "" ? null : row.platform,
    channel: null,
    industry: null,
    sample: `${row.campaigns} campaigns`,
    metric: isRatio.parse(row.metric),
    currency: row.currency === "" ? null : row.currency,
    value: rounded(row.value),
    median: rounded(row.median),
    low: rounded(row.lowerQuartile),
    high: rounded(row.upperQuartile),
  };
}

function toPublished(
  { figures: _figures, currency, ...about }: PublishedBenchmark,
  figure: PublishedFigure,
): Benchmark {
  const { metric, value, median = null, low = null, high = null } = figure;
  const of = isMoney(metric) ? currency : null;
  return { ...about, metric, currency: of, value, median, low, high };
}
