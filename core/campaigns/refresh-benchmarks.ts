import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";
import { rollUpDays } from "./roll-up-days.ts";

/** Days of a team's own history: long enough to be steady, short enough to be of now. */
const HISTORY_DAYS = 90;
/** Below this many campaigns quartiles say nothing. */
const FEWEST_FOR_QUARTILES = 4;
const TEAMS_AT_ONCE = 100;

export interface RefreshedBenchmarks {
  teams: number;
  /** Days of campaigns that an import had left to be summed. */
  days: number;
  /** Whether teams or days are left, since the time was up. */
  more: boolean;
}

const team = z.object({ team_id: z.string() });

/**
 * Computes anew what each team's campaigns reached in the last 90 days that have facts, by platform and over all of them:
 * each ratio from sums, and its quartiles over campaigns. First it sums what days imports have left. For the nightly
 * schedule `refresh_benchmarks`; it may die anywhere and be repeated, and goes on after `after`.
 * @param input.after the last team of an earlier run that was cut by its deadline
 */
export async function refreshBenchmarks(
  context: Pick<Context, "db" | "transaction" | "now">,
  { deadline, after = "" }: { deadline: Date; after?: string },
): Promise<RefreshedBenchmarks & { last: string }> {
  const { days, more } = await rollUpDays(context, { teamId: null, deadline });
  const done = { teams: 0, days, more, last: after };
  while (context.now() < deadline) {
    const teams = rowsOf(
      team,
      await context.db.execute(sql`
        SELECT DISTINCT team_id FROM campaigns WHERE team_id > ${done.last} ORDER BY team_id LIMIT ${TEAMS_AT_ONCE}
      `),
    );
    for (const { team_id: teamId } of teams) {
      if (context.now() >= deadline) return { ...done, more: true };
      await context.transaction((inner) => refreshTeam(inner.db, teamId, context.now()));
      done.teams += 1;
      done.last = teamId;
    }
    if (teams.length < TEAMS_AT_ONCE) return done;
  }
  return { ...done, more: true };
}

/** CTR and CVR have no currency; all others are apart by it, ROAS too, whose sums would else be of several. */
async function refreshTeam(db: Context["db"], teamId: string, now: Date): Promise<void> {
  await db.execute(sql`SELECT 1 FROM teams WHERE id = ${teamId} FOR KEY SHARE`);
  await db.execute(sql`DELETE FROM campaign_benchmarks WHERE team_id = ${teamId}`);
  await db.execute(sql`
    WITH ends AS (
      SELECT max(last_day) AS last_day FROM campaigns WHERE team_id = ${teamId}
    ), sums AS (
      SELECT campaigns.number, campaigns.platform, campaigns.currency, sum(impressions) AS impressions,
        sum(clicks) AS clicks, sum(spend_micros) AS spend, sum(conversion_micros) AS conversions,
        sum(revenue_micros) AS revenue
      FROM campaigns CROSS JOIN ends JOIN campaign_days AS days ON days.campaign = campaigns.number
      WHERE campaigns.team_id = ${teamId} AND days.day > ends.last_day - ${HISTORY_DAYS}::integer
      GROUP BY 1, 2, 3
    ), shares AS (
      SELECT slice.platform, CASE WHEN metric.has_currency THEN sums.currency ELSE '' END AS currency, metric.name,
        metric.numerator, metric.denominator
      FROM sums CROSS JOIN LATERAL (VALUES (sums.platform), ('')) AS slice (platform)
      CROSS JOIN LATERAL (VALUES
        ('ctr', clicks, impressions, false),
        ('cvr', conversions, clicks * 1000000, false),
        ('cpc', spend, clicks * 1000000, true),
        ('cpm', spend * 1000, impressions * 1000000, true),
        ('cpa', spend, conversions, true),
        ('roas', revenue, spend, true)
      ) AS metric (name, numerator, denominator, has_currency)
      WHERE metric.denominator > 0 AND metric.numerator IS NOT NULL
    )
    INSERT INTO campaign_benchmarks (
      team_id, platform, currency, metric, value, lower_quartile, median, upper_quartile, campaigns, first_day,
      last_day, computed_at
    )
    SELECT ${teamId}, platform, currency, name, (sum(numerator) / sum(denominator))::double precision,
      ${quartile(0.25)}, ${quartile(0.5)}, ${quartile(0.75)}, count(*), ends.last_day - ${HISTORY_DAYS - 1}::integer,
      ends.last_day, ${now.toISOString()}::timestamptz
    FROM shares CROSS JOIN ends GROUP BY platform, currency, name, ends.last_day
  `);
}

/** Of the campaigns' own values; null where they are too few. */
function quartile(share: number) {
  return sql`CASE WHEN count(*) >= ${FEWEST_FOR_QUARTILES} THEN percentile_cont(${share}::double precision)
    WITHIN GROUP (ORDER BY (numerator / denominator)::double precision) END`;
}
