import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import type { JobType } from "../job-type.ts";
import type { Choice } from "./choose-jobs.ts";

/** Jobs of one team and type that are looked at, beside those that there is room for. */
const LANE_MARGIN = 1;

const candidateRow = z.object({
  id: z.string(),
  team_id: z.string(),
  type: z.string(),
  priority: z.number(),
  queued_at: z.number(),
  in_attempt: z.boolean(),
  served: z.number().nullable(),
});
const holdingRow = z.object({ team_id: z.string(), type: z.string(), count: z.number() });
const startsRow = z.object({
  type: z.string(),
  team_id: z.string().nullable(),
  count: z.number(),
  /** Seconds until the first of them no longer counts. */
  frees: z.number(),
});

const choiceRow = z.object({ holdings: z.array(holdingRow), candidates: z.array(candidateRow) });

/** Everything that the choice goes by, as it is now. Seconds until a rate lets something in again, where one is used up. */
export async function readChoice(
  db: Database,
  { types, capacity, teamCapacity }: Pick<Choice, "types" | "capacity" | "teamCapacity">,
): Promise<Choice & { rateFrees: ReadonlyMap<string, number> }> {
  const [{ holdings, candidates }, starts] = await Promise.all([
    readJobs(db, capacity),
    readStarts(db, types),
  ]);
  return {
    candidates: candidates.map((row) => ({
      id: row.id,
      teamId: row.team_id,
      type: row.type,
      priority: row.priority,
      queuedAt: row.queued_at,
      inAttempt: row.in_attempt,
    })),
    holdings: holdings.map(({ team_id: teamId, type, count }) => ({ teamId, type, count })),
    starts: starts.map(({ type, team_id: teamId, count }) => ({ type, teamId, count })),
    lastServed: new Map(candidates.map((row) => [row.team_id, row.served ?? 0])),
    types,
    capacity,
    teamCapacity,
    rateFrees: new Map(
      starts.map(({ type, team_id: teamId, frees }) => [`${type}\n${teamId ?? ""}`, frees]),
    ),
  };
}

/**
 * What holds a part of the capacity, and of each team and type as many jobs as there is room for; from one to the next
 * by the index, however many wait in each.
 */
async function readJobs(db: Database, capacity: number) {
  const rows = await db.execute(sql`
    WITH RECURSIVE holdings AS MATERIALIZED (
      SELECT team_id, type, count(*)::integer AS count FROM jobs WHERE slot GROUP BY team_id, type
    ), lanes AS (
      (SELECT team_id, type FROM jobs WHERE state = 'queued' AND NOT slot ORDER BY team_id, type LIMIT 1)
      UNION ALL
      SELECT next.team_id, next.type FROM lanes, LATERAL (
        SELECT team_id, type FROM jobs
        WHERE state = 'queued' AND NOT slot AND (team_id, type) > (lanes.team_id, lanes.type)
        ORDER BY team_id, type LIMIT 1
      ) AS next
    ), candidates AS (
      SELECT first.*, lanes.team_id, lanes.type,
        (SELECT max(admission)::double precision FROM jobs WHERE jobs.team_id = lanes.team_id) AS served
      FROM lanes, LATERAL (
        SELECT id, priority::integer, in_attempt, (extract(epoch FROM queued_at) * 1000)::double precision AS queued_at
        FROM jobs
        WHERE state = 'queued' AND NOT slot AND jobs.team_id = lanes.team_id AND jobs.type = lanes.type
        ORDER BY jobs.priority DESC, jobs.queued_at, jobs.id
        LIMIT greatest(0, ${capacity}::integer - (SELECT coalesce(sum(count), 0) FROM holdings)) + ${LANE_MARGIN}::integer
      ) AS first
      WHERE NOT EXISTS (SELECT 1 FROM switchboard WHERE lanes.team_id = ANY (teams_off))
    )
    SELECT coalesce((SELECT json_agg(holdings) FROM holdings), '[]') AS holdings,
      coalesce((SELECT json_agg(candidates) FROM candidates), '[]') AS candidates`);
  return rowsOf(choiceRow, rows)[0] ?? { holdings: [], candidates: [] };
}

async function readStarts(db: Database, types: readonly JobType[]) {
  const rated = types.flatMap(({ name, rate }) =>
    rate ? [{ type: name, seconds: rate.perSeconds, of: rate.of }] : [],
  );
  if (rated.length === 0) return [];
  const rows = await db.execute(sql`
    SELECT rate.type, CASE WHEN rate.of = 'team' THEN starts.team_id END AS team_id, count(*)::integer AS count,
      extract(epoch FROM min(starts.at) + make_interval(secs => min(rate.seconds)) - now())::double precision AS frees
    FROM jsonb_to_recordset(${JSON.stringify(rated)}::jsonb) AS rate (type text, seconds double precision, "of" text)
    JOIN job_starts AS starts ON starts.type = rate.type AND starts.at > now() - make_interval(secs => rate.seconds)
    GROUP BY 1, 2`);
  return rowsOf(startsRow, rows);
}
