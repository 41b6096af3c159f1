import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { RAIL_EVENTS } from "../../guard-rails/rail-events.ts";
import { AppError } from "../../kernel/errors.ts";
import { type Principal, requireScope, seesUsageOf, teamScope } from "../../kernel/principal.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { reachTeam } from "../../teams/reach-team.ts";
import { ALL_TEAMS } from "./count-minutes.ts";
import { type StatsRow, sumStats, type StatsSums } from "./sum-stats.ts";

const MINUTE_MS = 60_000;
/** The hour is the running minute and the 59 before it. */
const MINUTES = 60;

export const gatewayStatsInput = z.object({
  /** For super admins, who get all teams together without it. */
  team_id: z.string().optional(),
});

export interface GatewayStats extends StatsSums {
  /** Inclusive, a whole minute. Requests count when they came in. */
  from: Date;
  /** When it was read: what had ended by then and reached Postgres is counted. */
  asOf: Date;
  /** Null for all teams together. */
  teamId: string | null;
  /** The newest minute in which a counted request came in; where it is old, records are held up on their way. */
  newestMinute: Date | null;
}

const count = z.coerce.number();
const histogram = z
  .record(z.string(), count)
  .transform((buckets) => new Map(Object.entries(buckets).map(([start, n]) => [Number(start), n])));
const row = z.object({
  model: z.string(),
  provider: z.string(),
  status: count,
  error_code: z.string(),
  refused_by: z.string(),
  requests: count,
  cached: count,
  cache_misses: count,
  input_denied: count,
  input_masked: count,
  output_denied: count,
  output_masked: count,
  latency: histogram,
  first_token: histogram,
  newest: z.string(),
});

/**
 * What went through the gateway within the last hour: of the principal's team, and for super admins of the team they
 * name or of all teams together.
 * @throws AppError `missing_scope`, `forbidden` (for who sees but an end user's own usage), `not_found`
 */
export async function readGatewayStats(
  context: Pick<Context, "db" | "principal" | "now">,
  input: z.output<typeof gatewayStatsInput>,
): Promise<GatewayStats> {
  const teamId = selectedTeam(context.principal, input.team_id);
  const asOf = context.now();
  const from = new Date((Math.floor(asOf.getTime() / MINUTE_MS) - MINUTES + 1) * MINUTE_MS);
  const rows = rowsOf(row, await context.db.execute(selectSums(teamId ?? ALL_TEAMS, from, asOf)));
  const newest = rows
    .map((one) => one.newest)
    .sort()
    .at(-1);
  const newestMinute = newest === undefined ? null : new Date(newest);
  return { ...sumStats(rows.map(toStatsRow)), from, asOf, teamId, newestMinute };
}

function toStatsRow(stored: z.output<typeof row>): StatsRow {
  const { model, provider, status, requests, cached, latency } = stored;
  const { error_code, refused_by, cache_misses, first_token } = stored;
  const { input_denied, input_masked, output_denied, output_masked } = stored;
  return {
    model,
    provider,
    status,
    requests,
    cached,
    latency,
    guardRails: { input_denied, input_masked, output_denied, output_masked },
    errorCode: error_code,
    refusedBy: refused_by,
    cacheMisses: cache_misses,
    firstToken: first_token,
  };
}

function selectedTeam(principal: Principal, wanted: string | undefined): string | null {
  requireScope(principal, "usage:read");
  if (seesUsageOf(principal) !== null)
    throw new AppError("forbidden", {
      message: "These statistics are of a whole team. GET /v1/usage shows your own part.",
    });
  return wanted === undefined ? teamScope(principal) : reachTeam(principal, wanted);
}

const DIMENSIONS = sql`model, provider, status, error_code, refused_by`;

const RAILS = sql.raw(RAIL_EVENTS.join(", "));
const SUMMED_RAILS = sql.raw(RAIL_EVENTS.map((name) => `sum(${name})::text AS ${name}`).join(", "));

/** One row for each combination of the dimensions, with histograms added up. */
function selectSums(teamId: string, from: Date, to: Date): SQL {
  const summed = (column: SQL) => sql`(
    SELECT ${DIMENSIONS}, jsonb_object_agg(start, number) AS ${column} FROM (
      SELECT ${DIMENSIONS}, start, sum(number::bigint) AS number
      FROM minutes CROSS JOIN jsonb_each_text(minutes.${column}) AS buckets (start, number)
      GROUP BY ${DIMENSIONS}, start
    ) AS buckets GROUP BY ${DIMENSIONS}
  )`;
  return sql`
    WITH minutes AS MATERIALIZED (
      SELECT * FROM usage_minutes
      WHERE team_id = ${teamId} AND minute >= ${from.toISOString()}::timestamptz
        AND minute <= ${to.toISOString()}::timestamptz
    )
    SELECT ${DIMENSIONS}, requests, cached, cache_misses, ${RAILS}, newest, coalesce(latency, '{}') AS latency,
      coalesce(first_token, '{}') AS first_token
    FROM (
      SELECT ${DIMENSIONS}, sum(requests)::text AS requests, sum(cached)::text AS cached,
        sum(cache_misses)::text AS cache_misses, ${SUMMED_RAILS},
        to_char(max(minute) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS newest
      FROM minutes GROUP BY ${DIMENSIONS}
    ) AS counts
    LEFT JOIN ${summed(sql`latency`)} AS latencies USING (${DIMENSIONS})
    LEFT JOIN ${summed(sql`first_token`)} AS first_tokens USING (${DIMENSIONS})`;
}
