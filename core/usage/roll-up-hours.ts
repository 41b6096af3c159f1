import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";

/** Hours of teams that one transaction sums up; so it stays short, and a crash costs little. */
const HOURS_PER_CHUNK = 100;

/** A charge of the Meter's for requests that nobody reported, or its taking back, is no request; see correction-record.ts. */
const IS_CORRECTION = sql`starts_with(id, 'lease_')`;

const mark = z.object({ team_id: z.string(), hour: z.string() });

export interface RollUpInput {
  /** Hours that begin before this are summed up. */
  before: Date;
  /** No chunk is begun after this. */
  deadline: Date;
}

export interface RollUpResult {
  /** Hours of teams whose sums are now right. */
  hours: number;
  /** Whether dirty hours may be left: the time was up, or somebody was writing to them. */
  more: boolean;
}

/**
 * Makes usage_hourly of usage_records for the dirty hours of all teams. Sums are made anew, never added to, so a run
 * may die anywhere and be repeated, and several may run at once. An hour that is just being written to is left for
 * the next run; see storeUsageRecords for the locks.
 */
export async function rollUpHours(
  context: Pick<Context, "db" | "transaction" | "now">,
  { before, deadline }: RollUpInput,
): Promise<RollUpResult> {
  let hours = 0;
  while (context.now() < deadline) {
    const done = await context.transaction((inner) => rollUpChunk(inner.db, before));
    hours += done;
    if (done < HOURS_PER_CHUNK) break;
  }
  const left = await context.db.execute(
    sql`SELECT 1 AS one FROM usage_dirty_hours WHERE hour < ${before.toISOString()}::timestamptz LIMIT 1`,
  );
  return { hours, more: rowsOf(z.unknown(), left).length > 0 };
}

/**
 * One chunk, within its transaction. The marks are locked by a statement of their own: the sums after it have a later
 * snapshot, which sees whatever was committed before the lock was had. Each hour is summed by itself, from the index:
 * for a plain join Postgres would read the whole table, since it cannot know how few hours a chunk covers.
 */
async function rollUpChunk(db: Context["db"], before: Date): Promise<number> {
  const marks = rowsOf(
    mark,
    await db.execute(sql`
      SELECT team_id, hour::text AS hour FROM usage_dirty_hours
      WHERE hour < ${before.toISOString()}::timestamptz
      ORDER BY hour, team_id LIMIT ${HOURS_PER_CHUNK} FOR UPDATE SKIP LOCKED
    `),
  );
  if (marks.length === 0) return 0;
  const chunk = sql`jsonb_to_recordset(${JSON.stringify(marks)}::jsonb) AS chunk (team_id text, hour timestamptz)`;
  await db.execute(sql`
    DELETE FROM usage_hourly AS sums USING ${chunk} WHERE sums.team_id = chunk.team_id AND sums.hour = chunk.hour
  `);
  await db.execute(sql`
    INSERT INTO usage_hourly (
      team_id, hour, key_id, session_id, end_user, model, requests, errors, input_tokens, output_tokens, cost_micros,
      cached, cache_misses, cached_input_tokens, cache_write_tokens
    )
    SELECT chunk.team_id, chunk.hour, sums.* FROM ${chunk} CROSS JOIN LATERAL (
      SELECT coalesce(key_id, ''), coalesce(session_id, ''), coalesce(end_user, ''), model,
        count(*) FILTER (WHERE NOT ${IS_CORRECTION}),
        count(*) FILTER (WHERE status >= 400), sum(input_tokens), sum(output_tokens), sum(cost_micros),
        count(*) FILTER (WHERE cached), count(*) FILTER (WHERE cache_missed),
        sum(cached_input_tokens), sum(cache_write_tokens)
      FROM usage_records AS record
      WHERE record.team_id = chunk.team_id AND record.at >= chunk.hour
        AND record.at < chunk.hour + interval '1 hour'
      GROUP BY 1, 2, 3, 4
    ) AS sums
  `);
  await db.execute(sql`
    DELETE FROM usage_dirty_hours AS dirty USING ${chunk}
    WHERE dirty.team_id = chunk.team_id AND dirty.hour = chunk.hour
  `);
  return marks.length;
}
