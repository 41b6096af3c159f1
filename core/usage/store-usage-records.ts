import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";
import type { TeamRecord } from "./read-usage-message.ts";
import { countedMinutes, TOTAL_PARTS } from "./stats/count-minutes.ts";

const counts = z.object({ inserted: z.coerce.number(), late: z.coerce.number() });

export interface StoredUsage {
  /** Records that were not there before. */
  inserted: number;
  /** Records of hours whose books are closed; they are in dead_letters. */
  late: number;
}

/**
 * Stores records of any teams in one statement: records that are there already change nothing, and the hours of those
 * that are new become dirty and are counted in their minutes with them, or not at all.
 *
 * Three locks make this exact beside roll-ups and retention. The books' row is held shared, so that no hour closes
 * between the comparison and the insert. A dirty mark that is there already is locked, though not changed: a roll-up
 * that is about to remove it waits for this statement, or this one for the roll-up, and then marks the hour anew;
 * with DO NOTHING the mark could vanish between the two. Everything is inserted in one order, so that two consumers
 * with the same records wait for each other instead of in a circle.
 */
export async function storeUsageRecords(
  db: Database,
  records: readonly TeamRecord[],
): Promise<StoredUsage> {
  if (records.length === 0) return { inserted: 0, late: 0 };
  const input = records.map(({ teamId, record }) => ({
    ...record,
    teamId,
    at: new Date(record.at).toISOString(),
  }));
  const result = await db.execute(sql`
    WITH books AS (SELECT closed_before FROM usage_books FOR SHARE),
    input AS (
      SELECT DISTINCT ON (at, id, attempt) *
      FROM jsonb_to_recordset(${JSON.stringify(input)}::jsonb) AS record (
        id text, attempt smallint, at timestamptz, "teamId" text, "keyId" text, "sessionId" text, "endUser" text,
        model text, provider text, status smallint, "errorCode" text, "inputTokens" integer, "outputTokens" integer,
        estimated boolean, "costMicros" bigint, "latencyMs" integer, "firstTokenMs" integer, cached boolean,
        "cacheMissed" boolean, "refusedBy" text, "cachedInputTokens" integer, "cacheWriteTokens" integer,
        "guardRails" text[]
      )
      ORDER BY at, id, attempt
    ),
    inserted AS (
      INSERT INTO usage_records (
        id, attempt, at, team_id, key_id, session_id, end_user, model, provider, status, error_code,
        input_tokens, output_tokens, estimated, cost_micros, latency_ms, first_token_ms, cached,
        cache_missed, refused_by, cached_input_tokens, cache_write_tokens, guard_rails
      )
      SELECT id, attempt, at, "teamId", "keyId", "sessionId", "endUser", model, provider, status, "errorCode",
        "inputTokens", "outputTokens", estimated, "costMicros", "latencyMs", "firstTokenMs", cached,
        coalesce("cacheMissed", false), "refusedBy", coalesce("cachedInputTokens", 0),
        coalesce("cacheWriteTokens", 0), "guardRails"
      FROM input JOIN books ON input.at >= books.closed_before
      ORDER BY at, id, attempt
      ON CONFLICT (at, id, attempt) DO NOTHING
      RETURNING *
    ),
    marked AS (
      INSERT INTO usage_dirty_hours (team_id, hour)
      SELECT DISTINCT team_id, date_trunc('hour', at, 'UTC') FROM inserted ORDER BY 1, 2
      ON CONFLICT (team_id, hour) DO UPDATE SET hour = excluded.hour WHERE false
    ),
    ${countedMinutes(Math.floor(Math.random() * TOTAL_PARTS))},
    late AS (
      INSERT INTO dead_letters (id, queue, reason, body)
      SELECT 'usage:' || input.id || ':' || input.attempt || ':' || extract(epoch FROM input.at), 'usage',
        'closed_hour', to_jsonb(input)::text
      FROM input JOIN books ON input.at < books.closed_before
      ORDER BY 1
      ON CONFLICT (id) DO NOTHING
      RETURNING id
    )
    SELECT (SELECT count(*) FROM inserted) AS inserted, (SELECT count(*) FROM late) AS late
  `);
  const [stored] = rowsOf(counts, result);
  return stored ?? { inserted: 0, late: 0 };
}
