import { sql } from "drizzle-orm";
import { z } from "zod";
import { SCOPES } from "../../kernel/scopes.ts";
import type { Context } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";

const scope = z.enum(SCOPES);

const claimedJob = z
  .object({
    id: z.string(),
    team_id: z.string(),
    type: z.string(),
    version: z.number().nullable(),
    input: z.unknown(),
    created_by: z.string(),
    scopes: z.array(z.string()),
    models: z.array(z.string()),
    end_user: z.string().nullable(),
    priority: z.number(),
    parent_id: z.string().nullable(),
    callback_url: z.string().nullable(),
    attempt: z.number(),
    fence: z.number(),
    steps: z.number(),
    failures: z.number(),
    progressed: z.boolean(),
    progress_done: z.number(),
    progress_total: z.number().nullable(),
    progress_message: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    teamId: row.team_id,
    type: row.type,
    version: row.version,
    input: row.input,
    createdBy: row.created_by,
    scopes: row.scopes.flatMap((name) => scope.safeParse(name).data ?? []), // one that a later version does not know gives nothing
    models: row.models,
    endUser: row.end_user,
    priority: row.priority,
    parentId: row.parent_id,
    callbackUrl: row.callback_url,
    attempt: row.attempt,
    fence: row.fence,
    steps: row.steps,
    failures: row.failures,
    progressed: row.progressed,
    progress: {
      done: row.progress_done,
      total: row.progress_total,
      message: row.progress_message,
    },
  }));

/** A job that is ours, until its lease ends or somebody has a later fence. */
export type ClaimedJob = z.output<typeof claimedJob>;

/**
 * Takes a job that was let in and that nobody works. A message may come twice, late, or for a job that is done: then
 * there is nothing to take.
 * @param options.versions the version of each type's program, with which a job that has no step yet begins
 * @returns null when it is not there to be taken
 */
export async function claimJob(
  { db }: Pick<Context, "db">,
  jobId: string,
  { leaseSeconds, versions }: { leaseSeconds: number; versions: Readonly<Record<string, number>> },
): Promise<ClaimedJob | null> {
  const rows = await db.execute(sql`
    WITH claimed AS (
      UPDATE jobs SET
        state = 'running', waiting_for = NULL, fence = fence + 1, message_due_at = NULL,
        lease_until = now() + make_interval(secs => ${leaseSeconds}),
        started_at = coalesce(started_at, now()),
        attempt = attempt + CASE WHEN in_attempt THEN 0 ELSE 1 END,
        progressed = in_attempt AND progressed,
        in_attempt = true, updated_at = now(),
        version = CASE WHEN steps = 0 THEN (${JSON.stringify(versions)}::jsonb ->> type)::integer ELSE version END
      WHERE id = ${jobId} AND slot AND lease_until IS NULL AND state IN ('queued', 'running')
        AND NOT EXISTS (SELECT 1 FROM switchboard WHERE jobs.team_id = ANY (teams_off))
      RETURNING *
    ), attempt AS (
      INSERT INTO job_attempts (job_id, number, started_at)
      SELECT id, attempt, now() FROM claimed ON CONFLICT DO NOTHING
    )
    SELECT id, team_id, type, version, input, created_by, scopes, models, end_user, priority::integer,
      parent_id, callback_url, attempt, fence, steps, failures, progressed, progress_done::double precision,
      progress_total::double precision, progress_message
    FROM claimed`);
  return rowsOf(claimedJob, rows)[0] ?? null;
}
