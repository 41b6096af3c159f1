import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { rowsOf } from "../kernel/sql-rows.ts";
import { matching, selectUsage, usageFilter, type UsageSelection } from "./usage-range.ts";

/** What usage can be summed up by, and how each is written as text over a row of sums. */
const DIMENSIONS = {
  day: sql`to_char(sums.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  hour: sql`to_char(sums.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
  key: sql`sums.key_id`,
  model: sql`sums.model`,
  session: sql`sums.session_id`,
  end_user: sql`sums.end_user`,
  team: sql`sums.team_id`,
} as const satisfies Record<string, SQL>;
export type UsageDimension = keyof typeof DIMENSIONS;

const DIMENSION_NAMES = Object.keys(DIMENSIONS) as UsageDimension[]; // Object.keys loses the literal type

export const sumUsageInput = usageFilter.extend({
  /** Comma-separated. */
  group_by: z
    .string()
    .default("day")
    .transform((text) => text.split(",").map((part) => part.trim()))
    .pipe(
      z
        .array(z.enum(DIMENSION_NAMES, { error: `must be some of ${DIMENSION_NAMES.join(", ")}` }))
        .refine((list) => new Set(list).size === list.length, "must not name one twice"),
    ),
});

/** What one group of requests adds up to. */
export interface UsageSum {
  /** A value for each dimension asked for; null stands for requests that have none, such as no session. */
  group: Partial<Record<UsageDimension, string | null>>;
  requests: number;
  /** Requests with a status from 400 on. */
  errors: number;
  inputTokens: number;
  outputTokens: number;
  /** The parts of the input that providers had in their own caches, and put there. */
  cachedInputTokens: number;
  cacheWriteTokens: number;
  costMicros: number;
  /** Requests that the response cache answered, and those for which it had no answer. */
  cached: number;
  cacheMisses: number;
}

const row = z.object({
  dimensions: z.array(z.string()),
  requests: z.coerce.number(),
  errors: z.coerce.number(),
  input_tokens: z.coerce.number(),
  output_tokens: z.coerce.number(),
  cached_input_tokens: z.coerce.number(),
  cache_write_tokens: z.coerce.number(),
  cost_micros: z.coerce.number(),
  cached: z.coerce.number(),
  cache_misses: z.coerce.number(),
});

/**
 * Usage summed up, exact at all times: hours that are rolled up come from their sums, the others and the cut hours at
 * the ends of the range from single records, all in one snapshot. Before the moment up to which the books are closed,
 * where single records are gone, a cut hour counts whole.
 * @throws AppError `missing_scope`, `forbidden` (grouped by team), `validation_failed`, `invalid_request`
 */
export async function sumUsage(
  context: Context,
  input: z.output<typeof sumUsageInput>,
  page: PageRequest,
): Promise<Page<UsageSum>> {
  const selection = selectUsage(context.principal, input, context.now());
  const dimensions = input.group_by;
  if (dimensions.includes("team") && context.principal.kind !== "super_admin") {
    throw new AppError("forbidden", {
      message: "Only super admins see more than one team. Leave team out of group_by.",
      param: "group_by",
    });
  }
  // COLLATE "C": the order must not depend on the database's locale, and the cursor compares in the same one.
  const group = sql`ARRAY[${sql.join(
    dimensions.map((name) => DIMENSIONS[name]),
    sql`, `,
  )}]::text[] COLLATE "C"`;
  const after =
    page.cursor === undefined
      ? sql`true`
      : sql`dimensions > ${afterCursor(page.cursor, dimensions)}`;
  const result = await context.db.execute(sql`
    WITH ${boundsOf(selection)}, sums AS (${hourlyPart(selection)} UNION ALL ${dirtyPart(selection)}
      UNION ALL ${edgePart(selection)}),
    grouped AS (
      SELECT ${group} AS dimensions, sum(requests)::text AS requests, sum(errors)::text AS errors,
        sum(input_tokens)::text AS input_tokens, sum(output_tokens)::text AS output_tokens,
        sum(cost_micros)::text AS cost_micros, sum(cached)::text AS cached,
        sum(cache_misses)::text AS cache_misses, sum(cached_input_tokens)::text AS cached_input_tokens,
        sum(cache_write_tokens)::text AS cache_write_tokens
      FROM sums GROUP BY 1
    )
    SELECT to_jsonb(dimensions) AS dimensions, requests, errors, input_tokens, output_tokens, cost_micros, cached,
      cache_misses, cached_input_tokens, cache_write_tokens
    FROM grouped WHERE ${after} ORDER BY grouped.dimensions LIMIT ${page.limit + 1}
  `);
  return toPage(
    rowsOf(row, result),
    page.limit,
    (sum) => toUsageSum(sum, dimensions),
    (sum) => sum.dimensions,
  );
}

function toUsageSum(sum: z.output<typeof row>, dimensions: UsageDimension[]): UsageSum {
  const group: UsageSum["group"] = {};
  dimensions.forEach((name, index) => (group[name] = sum.dimensions[index] || null));
  return {
    group,
    requests: sum.requests,
    errors: sum.errors,
    inputTokens: sum.input_tokens,
    outputTokens: sum.output_tokens,
    cachedInputTokens: sum.cached_input_tokens,
    cacheWriteTokens: sum.cache_write_tokens,
    costMicros: sum.cost_micros,
    cached: sum.cached,
    cacheMisses: sum.cache_misses,
  };
}

function afterCursor(cursor: string, dimensions: UsageDimension[]): SQL {
  const values = decodeCursor(cursor, dimensions.length).map((value) => sql`${String(value)}`);
  return sql`ARRAY[${sql.join(values, sql`, `)}]::text[] COLLATE "C"`;
}

/**
 * The range, and the whole hours within it. Where the books are closed, the ends are first moved out to whole hours.
 */
function boundsOf({ from, to }: UsageSelection): SQL {
  const [start, end] = [from, to].map((time) => sql`${time.toISOString()}::timestamptz`);
  return sql`asked AS (
    SELECT
      CASE WHEN ${start} < closed_before THEN date_trunc('hour', ${start}, 'UTC') ELSE ${start} END AS from_at,
      CASE WHEN ${end} < closed_before
        THEN date_trunc('hour', ${end} + interval '1 hour' - interval '1 microsecond', 'UTC')
        ELSE ${end} END AS to_at
    FROM usage_books
  ), bounds AS MATERIALIZED (
    SELECT from_at, to_at,
      date_trunc('hour', from_at + interval '1 hour' - interval '1 microsecond', 'UTC') AS first_hour,
      date_trunc('hour', to_at, 'UTC') AS end_hour
    FROM asked
  )`;
}

const SUM_COLUMNS = sql`team_id, hour, key_id, session_id, end_user, model, requests, errors, input_tokens,
  output_tokens, cost_micros, cached, cache_misses, cached_input_tokens, cache_write_tokens`;

function hourlyPart(selection: UsageSelection): SQL {
  return sql`SELECT ${SUM_COLUMNS} FROM usage_hourly
    WHERE hour >= (SELECT first_hour FROM bounds) AND hour < (SELECT end_hour FROM bounds)
      AND ${matching(sql`usage_hourly`, selection)}
      AND NOT EXISTS (
        SELECT 1 FROM usage_dirty_hours AS dirty
        WHERE dirty.team_id = usage_hourly.team_id AND dirty.hour = usage_hourly.hour
      )`;
}

/** The selection's team on the marks, so that another team's hours are not even looked at. */
function teamOf({ columns }: UsageSelection): SQL {
  const team = columns.find(({ column }) => column === "team_id");
  return team ? sql`dirty.team_id = ${team.value}` : sql`true`;
}

/** A single record as if it were a row of sums. Null and '' are one, as in usage_hourly. */
const RECORD_AS_SUMS = sql`record.team_id, date_trunc('hour', record.at, 'UTC') AS hour,
  coalesce(record.key_id, ''), coalesce(record.session_id, ''), coalesce(record.end_user, ''), record.model,
  (NOT starts_with(record.id, 'lease_'))::integer, (record.status >= 400)::integer, record.input_tokens, record.output_tokens, record.cost_micros,
  record.cached::integer, record.cache_missed::integer, record.cached_input_tokens, record.cache_write_tokens`;

/** Hour by hour from the index, as the roll-up reads them; OFFSET 0 keeps Postgres from joining the whole table. */
function dirtyPart(selection: UsageSelection): SQL {
  return sql`SELECT hours.* FROM usage_dirty_hours AS dirty CROSS JOIN LATERAL (
      SELECT ${RECORD_AS_SUMS} FROM usage_records AS record
      WHERE record.team_id = dirty.team_id AND record.at >= dirty.hour
        AND record.at < dirty.hour + interval '1 hour' AND ${matching(sql`record`, selection)}
      OFFSET 0
    ) AS hours
    WHERE dirty.hour >= (SELECT first_hour FROM bounds) AND dirty.hour < (SELECT end_hour FROM bounds)
      AND ${teamOf(selection)}`;
}

/** The cut hours at both ends; for a range within one hour, the first of the two is all of it. */
function edgePart(selection: UsageSelection): SQL {
  return sql`SELECT ${RECORD_AS_SUMS} FROM usage_records AS record
    WHERE record.at >= (SELECT from_at FROM bounds) AND record.at < (SELECT least(first_hour, to_at) FROM bounds)
      AND ${matching(sql`record`, selection)}
    UNION ALL SELECT ${RECORD_AS_SUMS} FROM usage_records AS record
    WHERE record.at >= (SELECT greatest(first_hour, end_hour) FROM bounds)
      AND record.at < (SELECT to_at FROM bounds) AND ${matching(sql`record`, selection)}`;
}
