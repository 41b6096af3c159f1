import type { SQL } from "drizzle-orm";
import type { Period } from "../../campaigns/metrics/days.ts";
import { type Group, readAllGroups } from "../../campaigns/metrics/read-groups.ts";
import type { Context } from "../../kernel/context.ts";

/** Campaigns that are listed one by one; a report of more of them lists those with the most spend. */
export const MOST_CAMPAIGNS = 20_000;
/** Days of three years, in a hundred currencies. */
const MOST_DAY_ROWS = 110_000;
const MOST_PLATFORM_ROWS = 5_000;
const MOST_CURRENCIES = 300;

/** What a report is made of: sums, apart by currency, each with those of the period before. */
export interface ReportData {
  period: Period;
  /** A group for each currency. */
  totals: Group[];
  byDay: Group[];
  byPlatform: Group[];
  /** Those with the most spend first. */
  byCampaign: Group[];
  /** Whether all campaigns are listed. */
  complete: boolean;
}

/** Reads all that a report tells of some campaigns. */
export async function readReportData(
  context: Context,
  { where, period }: { where: SQL; period: Period },
): Promise<ReportData> {
  const query = { where, period, withPrevious: true, sort: null };
  const read = async (groupBy: Parameters<typeof readAllGroups>[1]["groupBy"], most: number) =>
    (await readAllGroups(context.db, { ...query, groupBy }, most)).groups;
  const [totals, byDay, byPlatform, campaigns] = await Promise.all([
    read([], MOST_CURRENCIES),
    read(["day"], MOST_DAY_ROWS),
    read(["platform"], MOST_PLATFORM_ROWS),
    readAllGroups(context.db, { ...query, groupBy: ["campaign"], sort: "spend" }, MOST_CAMPAIGNS),
  ]);
  return {
    period,
    totals: totals.filter(hasNow),
    byDay: byDay.filter(hasNow),
    byPlatform: byPlatform.filter(hasNow),
    byCampaign: campaigns.groups.filter(hasNow),
    complete: campaigns.complete,
  };
}

/** Groups that only the period before has are no rows of this one; what became of them is told under what moved. */
function hasNow({ current }: Group): boolean {
  return Object.values(current).some((sum) => sum !== null);
}
