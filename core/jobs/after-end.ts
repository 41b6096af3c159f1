import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { newId } from "../kernel/ids.ts";
import { rowsOf } from "../kernel/sql-rows.ts";
import type { JobFeed } from "./job-feed.ts";
import { type JobState } from "./job.ts";

/** A job that has just come to its end. */
export interface EndedJob {
  id: string;
  teamId: string;
  parentId: string | null;
  state: JobState;
  attempt: number;
}

/** How deep children may have children whose end is seen to at once; the sweeper sees to the rest. */
const DEPTH = 8;
const AT_ONCE = 1_000;

/**
 * What follows from the end of a job, after its commit: its parent wakes when no other child is left, and what it would
 * have waited for is cancelled with it. Should the process die before, the sweeper finds both.
 */
export async function afterEnd(
  context: Context,
  feed: JobFeed,
  ended: readonly EndedJob[],
): Promise<void> {
  let left = [...ended];
  for (let depth = 0; left.length > 0 && depth < DEPTH; depth++) {
    for (const parentId of new Set(left.flatMap((job) => job.parentId ?? [])))
      await wakeParent(context, parentId);
    const gone = left.filter((job) => job.state !== "succeeded").map((job) => job.id);
    left = gone.length === 0 ? [] : await cancelJobs(context, childrenOf(gone));
    await tellCancelled(context, feed, left);
  }
}

/**
 * Queues a job that waits for its children, once all have ended. The row is locked before it is looked at: a parent that
 * is just about to wait has either seen this end, or is seen waiting.
 */
export async function wakeParent({ db }: Pick<Context, "db">, parentId: string): Promise<void> {
  await db.execute(sql`
    WITH parent AS (SELECT id, state, waiting_for FROM jobs WHERE id = ${parentId} FOR UPDATE)
    UPDATE jobs SET state = 'queued', waiting_for = 'capacity', queued_at = now(), due_at = NULL, updated_at = now()
    FROM parent
    WHERE jobs.id = parent.id AND parent.state = 'scheduled' AND parent.waiting_for = 'children'
      AND NOT EXISTS (
        SELECT 1 FROM jobs AS child
        WHERE child.parent_id = parent.id AND child.state NOT IN ('succeeded', 'failed', 'cancelled')
      )`);
}

function childrenOf(parents: readonly string[]): SQL {
  return sql`parent_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(parents)}::jsonb))`;
}

const cancelledRow = z.object({
  id: z.string(),
  team_id: z.string(),
  parent_id: z.string().nullable(),
  ended: z.boolean(),
  attempt: z.number(),
});

/**
 * Cancels open jobs: at once where nobody works them; where somebody does, they are asked to stop at their next chunk.
 * @param which a condition on the columns of `jobs`
 * @returns those that have ended by it
 */
export async function cancelJobs(context: Pick<Context, "db">, which: SQL): Promise<EndedJob[]> {
  const rows = await context.db.execute(sql`
    WITH chosen AS (
      SELECT id FROM jobs WHERE ${which} AND state IN ('queued', 'scheduled', 'running', 'retrying')
      ORDER BY id LIMIT ${AT_ONCE} FOR UPDATE
    ), cancelled AS (
      UPDATE jobs SET
        cancel_requested_at = CASE WHEN lease_until IS NULL THEN NULL ELSE coalesce(cancel_requested_at, now()) END,
        state = CASE WHEN lease_until IS NULL THEN 'cancelled' ELSE state END,
        waiting_for = NULL, due_at = NULL, slot = slot AND lease_until IS NOT NULL,
        message_due_at = NULL, in_attempt = in_attempt AND lease_until IS NOT NULL,
        error_code = NULL, error_message = NULL,
        fence = fence + CASE WHEN lease_until IS NULL THEN 1 ELSE 0 END,
        finished_at = CASE WHEN lease_until IS NULL THEN now() END, updated_at = now()
      FROM chosen WHERE jobs.id = chosen.id
      RETURNING jobs.id, team_id, parent_id, attempt, callback_url, lease_until IS NULL AS ended
    ), attempt AS (
      UPDATE job_attempts SET outcome = 'cancelled', ended_at = now() FROM cancelled
      WHERE job_id = cancelled.id AND number = cancelled.attempt AND cancelled.ended AND job_attempts.ended_at IS NULL
    ), callback AS (
      INSERT INTO job_callbacks (id, job_id, team_id, url, event)
      SELECT ${newId("message")} || '-' || id, id, team_id, callback_url, 'job.cancelled'
      FROM cancelled WHERE ended AND callback_url IS NOT NULL
    )
    SELECT id, team_id, parent_id, attempt, ended FROM cancelled`);
  return rowsOf(cancelledRow, rows)
    .filter((job) => job.ended)
    .map(({ id, team_id: teamId, parent_id: parentId, attempt }) => ({
      id,
      teamId,
      parentId,
      attempt,
      state: "cancelled",
    }));
}

/** Tells watchers of jobs that were cancelled, after the commit. */
export async function tellCancelled(
  context: Pick<Context, "now">,
  feed: JobFeed,
  cancelled: readonly EndedJob[],
): Promise<void> {
  const at = context.now().getTime();
  for (const [teamId, jobs] of Map.groupBy(cancelled, (job) => job.teamId))
    await feed.publish(
      teamId,
      jobs.map(({ id, attempt }) => ({
        jobId: id,
        at,
        kind: "state",
        state: "cancelled",
        attempt,
      })),
    );
}
