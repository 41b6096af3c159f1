import { type SQL, sql } from "drizzle-orm";
import type { Period } from "./days.ts";

const SUM_COLUMNS = sql.raw("impressions, clicks, spend_micros, conversion_micros, revenue_micros");
const CAMPAIGN_COLUMNS = sql.raw(
  "selected.id, selected.name, selected.platform, selected.channel, selected.currency",
);

/**
 * What the campaigns brought day by day, as the common table `facts` of a WITH: sums by campaign and day, and for days
 * that are dirty the facts themselves, in one snapshot, so that metrics are right in the middle of an import.
 * @param where which campaigns
 * @param byAd whether ad group and ad are needed, which only the facts have
 */
export function dayRows(where: SQL, { from, to }: Period, byAd: boolean): SQL {
  const days = sql`BETWEEN ${from}::date AND ${to}::date`;
  // Facts are many: where only they are read, several processes of Postgres may do it, which a kept table forbids.
  const selected = sql`selected AS ${sql.raw(byAd ? "NOT MATERIALIZED" : "MATERIALIZED")} (
    SELECT number, id, name, platform, channel, currency FROM campaigns WHERE ${where}
  )`;
  if (byAd) {
    return sql`${selected}, facts AS (
      SELECT ${CAMPAIGN_COLUMNS}, fact.day, fact.ad_group, fact.ad, ${SUM_COLUMNS}
      FROM selected JOIN campaign_facts AS fact ON fact.campaign = selected.number
      WHERE fact.day ${days}
    )`;
  }
  return sql`${selected}, facts AS (
    SELECT ${CAMPAIGN_COLUMNS}, sums.day, '' AS ad_group, '' AS ad, ${SUM_COLUMNS}
    FROM selected JOIN campaign_days AS sums ON sums.campaign = selected.number
    WHERE sums.day ${days} AND (sums.campaign, sums.day) NOT IN (
      SELECT dirty.campaign, dirty.day FROM campaign_dirty_days AS dirty WHERE dirty.day ${days}
    )
    UNION ALL
    SELECT ${CAMPAIGN_COLUMNS}, summed.day, '' AS ad_group, '' AS ad, ${SUM_COLUMNS}
    FROM selected JOIN (
      SELECT fact.campaign, fact.day, sum(impressions) AS impressions, sum(clicks) AS clicks,
        sum(spend_micros) AS spend_micros, sum(conversion_micros) AS conversion_micros, sum(revenue_micros) AS revenue_micros
      FROM selected JOIN campaign_dirty_days AS dirty ON dirty.campaign = selected.number
      JOIN campaign_facts AS fact ON fact.campaign = dirty.campaign AND fact.day = dirty.day
      WHERE dirty.day ${days} GROUP BY fact.campaign, fact.day
    ) AS summed ON summed.campaign = selected.number
  )`;
}
