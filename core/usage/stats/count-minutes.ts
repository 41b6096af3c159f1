import { type SQL, sql } from "drizzle-orm";
import { RAIL_EVENTS } from "../../guard-rails/rail-events.ts";
import { BUCKET_STARTS } from "./latency-histogram.ts";

/** Rows of all teams together are kept in so many parts: each consumer adds to one, and seldom waits for another. */
export const TOTAL_PARTS = 4;
/** The team of the rows that count all teams together. */
export const ALL_TEAMS = "";

/** Columns that count what guard rails did, by the names of what that is. */
const RAILS = sql.raw(RAIL_EVENTS.join(", "));
const countedRails = sql.raw(
  RAIL_EVENTS.map(
    (name) => `count(*) FILTER (WHERE '${name}' = ANY (guard_rails)) AS ${name}`,
  ).join(", "),
);
const addedRails = sql.raw(
  RAIL_EVENTS.map((name) => `${name} = kept.${name} + excluded.${name}`).join(", "),
);

const STARTS = `{${BUCKET_STARTS.join(",")}}`;

const DIMENSIONS = sql`team_id, minute, model, provider, status, error_code, refused_by, part`;

/**
 * Parts of the statement that stores records: they count those that are new, named `inserted`, in their minutes, for
 * their team and for all teams together. What is stored is counted, and once, since it is one statement. Rows are
 * written in the order of their key, so that consumers wait for each other instead of in a circle.
 *
 * Records of the Meter's corrections are no requests, and stay out. A model's name is the client's until the catalog
 * has been asked; names that led nowhere are counted together.
 * @param part of the rows of all teams that this statement adds to
 */
export function countedMinutes(part: number): SQL {
  return sql`requests AS (
      SELECT team_id, date_trunc('minute', at, 'UTC') AS minute,
        CASE WHEN error_code IN ('model_not_found', 'model_not_allowed') THEN '' ELSE model END AS model,
        coalesce(provider, '') AS provider, status, coalesce(error_code, '') AS error_code,
        coalesce(refused_by, '') AS refused_by, cached, cache_missed, guard_rails,
        ${startOf(sql`latency_ms`)} AS latency, ${startOf(sql`first_token_ms`)} AS first_token
      FROM inserted WHERE NOT starts_with(id, 'lease_')
    ),
    counted AS (
      SELECT ${DIMENSIONS}, count(*) AS requests, count(*) FILTER (WHERE cached) AS cached,
        count(*) FILTER (WHERE cache_missed) AS cache_misses, ${countedRails}, array_agg(latency) AS latencies,
        array_agg(first_token) FILTER (WHERE first_token IS NOT NULL) AS first_tokens
      FROM (
        SELECT *, 0 AS part FROM requests
        UNION ALL
        SELECT ${ALL_TEAMS}, minute, model, provider, status, error_code, refused_by, cached, cache_missed,
          guard_rails, latency, first_token, ${part}::integer FROM requests
      ) AS twice
      GROUP BY ${DIMENSIONS}
    ),
    minutes AS (
      INSERT INTO usage_minutes AS kept (
        ${DIMENSIONS}, requests, cached, cache_misses, ${RAILS}, latency, first_token
      )
      SELECT ${DIMENSIONS}, requests, cached, cache_misses, ${RAILS}, ${histogramOf(sql`latencies`)}, ${histogramOf(sql`first_tokens`)}
      FROM counted ORDER BY ${DIMENSIONS}
      ON CONFLICT (${DIMENSIONS}) DO UPDATE SET
        requests = kept.requests + excluded.requests, cached = kept.cached + excluded.cached,
        cache_misses = kept.cache_misses + excluded.cache_misses, ${addedRails},
        latency = ${sumOf(sql`latency`)}, first_token = ${sumOf(sql`first_token`)}
    )`;
}

/** The first millisecond of a time's bucket; null for null. */
const startOf = (time: SQL) =>
  sql`(${STARTS}::integer[])[width_bucket(${time}, ${STARTS}::integer[])]`;

const histogramOf = (starts: SQL) =>
  sql`(SELECT coalesce(jsonb_object_agg(start, number), '{}') FROM
    (SELECT start, count(*) AS number FROM unnest(${starts}) AS start GROUP BY start) AS buckets)`;

const sumOf = (histogram: SQL) =>
  sql`(SELECT coalesce(jsonb_object_agg(start, number), '{}') FROM (
    SELECT start, sum(number::bigint) AS number FROM (
      SELECT * FROM jsonb_each_text(kept.${histogram}) UNION ALL SELECT * FROM jsonb_each_text(excluded.${histogram})
    ) AS both_sides (start, number) GROUP BY start
  ) AS buckets)`;
