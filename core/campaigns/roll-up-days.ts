import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";

/** Days of campaigns that one transaction sums up; so it stays short, and a crash costs little. */
const DAYS_PER_CHUNK = 1_000;
/** Campaigns that one transaction holds. */
const CAMPAIGNS_PER_CHUNK = 20;

export interface RollUpDaysInput {
  /** Only this team's; null is every team's, as for the nightly run. */
  teamId: string | null;
  /** No chunk is begun after this. */
  deadline: Date;
}

export interface RollUpDaysResult {
  /** Days of campaigns whose sums are now right. */
  days: number;
  /** Whether dirty days may be left, since the time was up. */
  more: boolean;
}

const campaignRow = z.object({ number: z.coerce.number() });
const mark = z.object({ campaign: z.coerce.number(), day: z.string() });

/**
 * Makes campaign_days of campaign_facts for dirty days, and the campaigns' first and last day of those. Sums are made
 * anew, never added to, so that a run may die anywhere and be repeated, and several may run at once. Metrics are right
 * without it, since they read the facts of dirty days; they are quick with it. Most days never are dirty; see storeFacts.
 */
export async function rollUpDays(
  context: Pick<Context, "transaction" | "now">,
  { teamId, deadline }: RollUpDaysInput,
): Promise<RollUpDaysResult> {
  let days = 0;
  let after = 0;
  while (context.now() < deadline) {
    const from = after;
    const done = await context.transaction((inner) => rollUpChunk(inner.db, teamId, from));
    if (done === null) return { days, more: false };
    days += done.days;
    after = done.after;
  }
  return { days, more: true };
}

/**
 * One chunk, within its transaction. Campaigns are held first, in the order in which all do, so that none is deleted
 * under its new sums and nobody adds to them meanwhile. The sums are made by a later statement, whose snapshot has whatever
 * was committed before they were held.
 */
async function rollUpChunk(
  db: Context["db"],
  teamId: string | null,
  after: number,
): Promise<{ days: number; after: number } | null> {
  const ofTeam = teamId === null ? sql`true` : sql`team_id = ${teamId}`;
  const held = rowsOf(
    campaignRow,
    await db.execute(sql`
      SELECT number FROM campaigns
      WHERE ${ofTeam} AND number > ${after}
        AND EXISTS (SELECT 1 FROM campaign_dirty_days AS dirty WHERE dirty.campaign = campaigns.number)
      ORDER BY number LIMIT ${CAMPAIGNS_PER_CHUNK} FOR NO KEY UPDATE
    `),
  );
  const last = held.at(-1)?.number;
  if (last === undefined) return null;
  const numbers = sql`${sql.param(held.map(({ number }) => number))}::bigint[]`;
  const marks = rowsOf(
    mark,
    await db.execute(sql`
      SELECT campaign, day::text AS day FROM campaign_dirty_days WHERE campaign = ANY(${numbers})
      ORDER BY campaign, day LIMIT ${DAYS_PER_CHUNK} FOR UPDATE
    `),
  );
  // What was just removed is still in the way of whoever reads the marks: on to the next campaigns, and never back.
  const next = marks.length < DAYS_PER_CHUNK ? last : (marks.at(-1)?.campaign ?? last) - 1;
  if (marks.length === 0) return { days: 0, after: next };
  const chunk = sql`unnest(${sql.param(marks.map(({ campaign }) => campaign))}::bigint[],
    ${sql.param(marks.map(({ day }) => day))}::date[]) AS chunk (campaign, day)`;
  await db.execute(sql`
    INSERT INTO campaign_days (campaign, day, impressions, clicks, spend_micros, conversion_micros, revenue_micros)
    SELECT chunk.campaign, chunk.day, sums.* FROM ${chunk} CROSS JOIN LATERAL (
      SELECT sum(impressions), sum(clicks), sum(spend_micros), sum(conversion_micros), sum(revenue_micros)
      FROM campaign_facts AS fact WHERE fact.campaign = chunk.campaign AND fact.day = chunk.day
    ) AS sums
    ON CONFLICT (campaign, day) DO UPDATE SET
      impressions = excluded.impressions, clicks = excluded.clicks, spend_micros = excluded.spend_micros,
      conversion_micros = excluded.conversion_micros, revenue_micros = excluded.revenue_micros
  `);
  await db.execute(sql`
    UPDATE campaigns SET first_day = ends.first_day, last_day = ends.last_day, updated_at = now()
    FROM (
      SELECT campaign, min(day) AS first_day, max(day) AS last_day FROM campaign_days
      WHERE campaign = ANY(${numbers}) GROUP BY campaign
    ) AS ends
    WHERE campaigns.number = ends.campaign
      AND (campaigns.first_day, campaigns.last_day) IS DISTINCT FROM (ends.first_day, ends.last_day)
  `);
  await db.execute(sql`
    DELETE FROM campaign_dirty_days AS dirty USING ${chunk}
    WHERE dirty.campaign = chunk.campaign AND dirty.day = chunk.day
  `);
  return { days: marks.length, after: next };
}
