import { sql } from "drizzle-orm";
import { z } from "zod";
import { JOB_STATES } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { newId } from "../../kernel/ids.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { afterEnd } from "../after-end.ts";
import { MAX_ATTEMPTS, MESSAGE_OVERDUE_SECONDS, WAKE_MESSAGE_SECONDS } from "../job-settings.ts";
import { type JobEngine, typesOf } from "./job-engine.ts";

/** Jobs that are recovered by one statement. */
const AT_ONCE = 200;

const recoveredRow = z.object({
  id: z.string(),
  team_id: z.string(),
  parent_id: z.string().nullable(),
  state: z.enum(JOB_STATES),
  attempt: z.number(),
  seconds: z.number().nullable(),
});

const CRASHED = "The process that worked this job was gone without a word.";

/**
 * Finds jobs whose process is dead: its lease is over. One that has committed something goes on at once, by a new
 * message. One that has not is tried again after a pause, and has failed after its last attempt, so that a job which
 * kills its process does so a few times and not for ever. A row that is locked is being written by a process that lives.
 * @param jobId only this one; a message for it came while it was held
 * @param unclaimed also where there is no lease: its message was delivered to the end without being taken
 * @returns how many were recovered
 */
export async function recoverJobs(
  engine: JobEngine,
  context: Context,
  { jobId = null, unclaimed = false }: { jobId?: string | null; unclaimed?: boolean } = {},
): Promise<number> {
  const maximum = JSON.stringify(
    Object.fromEntries(
      typesOf(engine).map((type) => [type.name, type.maxAttempts ?? MAX_ATTEMPTS]),
    ),
  );
  const again = sql`(dead.progressed OR dead.failures + 1 < coalesce((${maximum}::jsonb ->> dead.type)::integer, ${MAX_ATTEMPTS}))`;
  // The same pauses as backoff.ts has.
  const pause = sql`make_interval(secs => least(power(2, least(dead.failures, 30)), 600) * (0.5 + random() / 2))`;
  const rows = await context.db.execute(sql`
    WITH dead AS (
      SELECT id, type, failures, progressed AND ${!unclaimed} AS progressed, attempt, in_attempt,
        cancel_requested_at IS NOT NULL AS cancelled
      FROM jobs
      WHERE slot AND (${jobId}::text IS NULL OR id = ${jobId})
        AND (lease_until < now() OR (${unclaimed} AND lease_until IS NULL))
      ORDER BY id LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED
    ), decided AS (
      SELECT dead.*, CASE WHEN cancelled THEN 'cancelled' WHEN NOT ${again} THEN 'failed'
        WHEN progressed THEN 'running' ELSE 'retrying' END AS next, ${pause} AS pause
      FROM dead
    ), recovered AS (
      UPDATE jobs SET state = next, slot = (next = 'running'), lease_until = NULL, fence = fence + 1,
        cancel_requested_at = NULL, in_attempt = false, progressed = false, updated_at = now(),
        failures = CASE WHEN decided.progressed THEN 0 ELSE decided.failures + 1 END,
        waiting_for = CASE WHEN next = 'retrying' THEN 'retry' END,
        due_at = CASE WHEN next = 'retrying' THEN now() + pause END,
        message_due_at = CASE WHEN next = 'running' THEN now() + make_interval(secs => ${MESSAGE_OVERDUE_SECONDS}) END,
        error_code = CASE WHEN next IN ('failed', 'retrying') THEN 'crashed' END,
        error_message = CASE WHEN next IN ('failed', 'retrying') THEN ${CRASHED} END,
        finished_at = CASE WHEN next IN ('failed', 'cancelled') THEN now() END
      FROM decided WHERE jobs.id = decided.id
      RETURNING jobs.id, team_id, parent_id, state, jobs.attempt, callback_url, due_at
    ), attempt AS (
      UPDATE job_attempts SET ended_at = now(), outcome = CASE WHEN state = 'cancelled' THEN 'cancelled' ELSE 'crashed' END,
        error_code = 'crashed', error_message = ${CRASHED}
      FROM recovered WHERE job_id = recovered.id AND number = recovered.attempt AND job_attempts.ended_at IS NULL
    ), callback AS (
      INSERT INTO job_callbacks (id, job_id, team_id, url, event)
      SELECT ${newId("message")} || '-' || id, id, team_id, callback_url, 'job.' || state
      FROM recovered WHERE state IN ('failed', 'cancelled') AND callback_url IS NOT NULL
    )
    SELECT id, team_id, parent_id, state, attempt, extract(epoch FROM due_at - now())::double precision AS seconds
    FROM recovered`);
  const recovered = rowsOf(recoveredRow, rows).map((row) => ({
    ...row,
    teamId: row.team_id,
    parentId: row.parent_id,
  }));
  if (recovered.length === 0) return 0;
  context.log.warn("jobs_recovered", { jobs: recovered.map(({ id, state }) => ({ id, state })) });
  await engine.queue.send(recovered.filter((job) => job.state === "running").map((job) => job.id));
  for (const { id, seconds } of recovered)
    if (seconds !== null && seconds <= WAKE_MESSAGE_SECONDS)
      await engine.queue.send([id], Math.ceil(seconds));
  await tell(engine, context, recovered);
  const ended = recovered.filter(({ state }) => state === "failed" || state === "cancelled");
  await afterEnd(context, engine.feed, ended);
  return recovered.length;
}

type Recovered = z.output<typeof recoveredRow>;

async function tell(
  { feed }: JobEngine,
  context: Context,
  recovered: readonly Recovered[],
): Promise<void> {
  const at = context.now().getTime();
  for (const [teamId, jobs] of Map.groupBy(recovered, (job) => job.team_id))
    await feed.publish(
      teamId,
      jobs.map(({ id, state, attempt }) => ({
        jobId: id,
        at,
        kind: "state",
        state,
        attempt,
        waitingFor: state === "retrying" ? "retry" : null,
        error: state === "cancelled" ? null : CRASHED,
      })),
    );
}
