import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import type { PageRequest } from "../kernel/page.ts";
import { rowsOf } from "../kernel/sql-rows.ts";
import type { Benchmark } from "./benchmarks/benchmark.ts";
import { campaignTeam, reachCampaign, reachCampaigns } from "./campaign.ts";
import { campaignFilter, campaignsWhere } from "./campaign-filter.ts";
import { listBenchmarks } from "./list-benchmarks.ts";
import { type Period, previousPeriod } from "./metrics/days.ts";
import { periodInput, resolvePeriod } from "./metrics/period.ts";
import { type Dimension, DIMENSION_NAMES, type Group, readGroups } from "./metrics/read-groups.ts";
import { SUMS } from "./metrics/sums.ts";

/** What is compared with what. */
export const COMPARISONS = ["previous", "benchmark"] as const;

const listOf = <Name extends string>(names: readonly Name[]) =>
  z
    .string()
    .max(200)
    .transform((text) => text.split(",").map((part) => part.trim()))
    .pipe(
      z
        .array(z.enum(names, { error: `must be some of ${names.join(", ")}` }))
        .refine((list) => new Set(list).size === list.length, "must not name one twice"),
    );

export const readMetricsInput = campaignFilter.extend(periodInput.shape).extend({
  group_by: listOf(DIMENSION_NAMES)
    .default(["day"])
    .describe(
      `Some of ${DIMENSION_NAMES.join(", ")}, separated by commas; rows are always apart by currency`,
    ),
  compare: listOf(COMPARISONS)
    .optional()
    .describe(
      "`previous`: the period of equal length before; `benchmark`: published figures and the team's own",
    ),
  sort: z
    .enum(["group", ...SUMS])
    .default("group")
    .describe("The order of rows: by their groups, or the largest of a sum first"),
});
export type ReadMetricsInput = z.output<typeof readMetricsInput>;

export interface Metrics {
  period: Period;
  /** The period of equal length before, where it was asked for. */
  previous: Period | null;
  groupBy: Dimension[];
  /** The whole selection, once for each currency. */
  totals: Group[];
  rows: Group[];
  nextCursor: string | null;
  /** What rows are compared with, where that was asked for. */
  benchmarks: Benchmark[] | null;
  /** The platform of the whole selection; null where it has several, or nobody asked for benchmarks. */
  platform: string | null;
}

/** How many currencies one selection can have in its totals; there are about 180. */
const MOST_CURRENCIES = 300;

/**
 * Metrics of the team's campaigns, or of one of them, summed up by groups; ratios are made from the sums. Amounts of
 * different currencies are never added up: each group has a row for each of its currencies. Needs the scope `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `not_found` (the campaign), `validation_failed`, `invalid_request`
 */
export async function readMetrics(
  context: Context,
  input: ReadMetricsInput & { campaign_id?: string | undefined },
  page: PageRequest,
): Promise<Metrics> {
  const where = await selectCampaigns(context, input);
  const period = await resolvePeriod(context, input, where);
  const withPrevious = input.compare?.includes("previous") ?? false;
  const query = { where, period, withPrevious };
  const sort = input.sort === "group" ? null : input.sort;
  const withBenchmarks = input.compare?.includes("benchmark") ?? false;
  const [benchmarks, platform] = withBenchmarks
    ? await Promise.all([listBenchmarks(context, {}), onlyPlatform(context, where)])
    : [null, null];
  const [rows, totals] = await Promise.all([
    readGroups(context.db, { ...query, groupBy: input.group_by, sort }, page),
    readGroups(context.db, { ...query, groupBy: [], sort: null }, { limit: MOST_CURRENCIES }),
  ]);
  return {
    period,
    previous: withPrevious ? previousPeriod(period) : null,
    groupBy: input.group_by,
    totals: totals.items,
    rows: rows.items,
    nextCursor: rows.nextCursor,
    benchmarks,
    platform,
  };
}

const platformRow = z.object({ platform: z.string() });

async function onlyPlatform(context: Context, where: SQL): Promise<string | null> {
  const result = await context.db.execute(
    sql`SELECT DISTINCT platform FROM campaigns WHERE ${where} LIMIT 2`,
  );
  const platforms = rowsOf(platformRow, result);
  return platforms.length === 1 ? (platforms[0]?.platform ?? null) : null;
}

/** Campaigns that are named by their ids, besides those that a filter means. */
export interface NamedCampaigns {
  campaign_id?: string | undefined;
  /** Several; each must be one of the principal's team. */
  campaign_ids?: string[] | undefined;
}

/**
 * The campaigns that are meant, as a WHERE; the principal's team is in it.
 * @throws AppError `missing_scope`, `forbidden`, `not_found`, `invalid_request`
 */
export async function selectCampaigns(
  context: Context,
  input: z.output<typeof campaignFilter> & NamedCampaigns,
) {
  const { campaign_id: wanted, campaign_ids: several, ...filter } = input;
  if (several !== undefined) {
    const teamId = await reachCampaigns(context, several);
    return campaignsWhere(teamId, { ...filter, campaign_id: several });
  }
  if (wanted === undefined) return campaignsWhere(campaignTeam(context.principal), filter);
  const { id, teamId } = await reachCampaign(context, wanted);
  return campaignsWhere(teamId, { ...filter, campaign_id: [id] });
}
