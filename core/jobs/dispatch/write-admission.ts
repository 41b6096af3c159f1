import { sql } from "drizzle-orm";
import { z } from "zod";
import { jobAdmissions } from "#schema";
import type { Database } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import { MESSAGE_OVERDUE_SECONDS } from "../job-settings.ts";
import type { JobType } from "../job-type.ts";
import type { Candidate, Chosen } from "./choose-jobs.ts";

/** Whoever lets jobs in holds this lock for the length of one statement, as does whoever changes many jobs at once. */
export const DISPATCH_LOCK = sql`pg_advisory_xact_lock(7301, 4)`;

/** The number of the job that was let in last, by whomever, also where that is not committed; 0 before the first. */
export const LAST_ADMISSION = sql`(SELECT CASE WHEN is_called THEN last_value ELSE 0 END
  FROM ${sql.identifier(jobAdmissions.seqName ?? "")})`;

export interface Admitted {
  /** In the order in which they were let in. */
  admitted: string[];
  /** A job that a rate holds back, and in how many seconds it no longer does, where nobody else has its message. */
  wake: { jobId: string; seconds: number } | null;
}

const writtenRow = z.object({
  valid: z.boolean(),
  woken: z.boolean(),
  /** JSON, since the drivers read 64-bit numbers differently. */
  admitted: z.array(z.string()),
});

/**
 * Writes a choice in one statement, behind the lock: the jobs that are let in, the starts that count against rates, who
 * is held back by one, and how long jobs wait.
 * @param choice.admission LAST_ADMISSION from before everything that the choice goes by was read
 * @returns null when somebody else has let a job in since; nothing is written then
 */
export async function writeAdmission(
  db: Database,
  types: readonly JobType[],
  choice: Chosen & { wake: Admitted["wake"]; admission: string },
): Promise<Admitted | null> {
  const rated = types.filter((type) => type.rate).map((type) => type.name);
  if (choice.admitted.some((job) => rated.includes(job.type))) await forgetStarts(db, types);
  const wakeAt = sql`now() + make_interval(secs => ${choice.wake?.seconds ?? null}::double precision)`;
  const rows = await db.execute(sql`
    WITH gate AS MATERIALIZED (
      SELECT 1 AS open FROM ${DISPATCH_LOCK}
    ), valid AS MATERIALIZED (
      -- Of the gate's row, so that it is read behind the lock.
      SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END
        FROM ${sql.identifier(jobAdmissions.seqName ?? "")} WHERE gate.open = 1) = ${choice.admission}::bigint AS valid
      FROM gate
    ), admitted AS (
      UPDATE jobs SET slot = true, waiting_for = NULL, admission = chosen.number, updated_at = now(),
        message_due_at = now() + make_interval(secs => ${MESSAGE_OVERDUE_SECONDS})
      FROM (
        SELECT id, nextval(${jobAdmissions.seqName}) AS number
        FROM valid, jsonb_array_elements_text(${idsOf(choice.admitted)}::jsonb) AS id WHERE valid
      ) AS chosen
      WHERE jobs.id = chosen.id AND state = 'queued' AND NOT slot
      RETURNING jobs.id, jobs.admission, attempt, type, team_id, in_attempt
    ), started AS (
      INSERT INTO job_starts (job_id, attempt, type, team_id, at)
      SELECT id, attempt + 1, type, team_id, now() FROM admitted
      WHERE NOT in_attempt AND type IN (SELECT jsonb_array_elements_text(${JSON.stringify(rated)}::jsonb))
      ON CONFLICT (job_id, attempt) DO UPDATE SET at = excluded.at
    ), held AS (
      UPDATE jobs SET waiting_for = 'rate', updated_at = now() FROM valid
      WHERE valid AND id IN (SELECT jsonb_array_elements_text(${idsOf(choice.held)}::jsonb))
        AND state = 'queued' AND NOT slot AND waiting_for IS DISTINCT FROM 'rate'
    ), pressure AS (
      INSERT INTO job_pressure (oldest_queued_at, wake_at)
      SELECT to_timestamp(${choice.oldestWaiting}::double precision / 1000), ${wakeAt} FROM valid WHERE valid
      ON CONFLICT ("only") DO UPDATE SET oldest_queued_at = excluded.oldest_queued_at, checked_at = now(),
        wake_at = CASE WHEN ${EARLIER} THEN excluded.wake_at ELSE job_pressure.wake_at END
      WHERE job_pressure.oldest_queued_at IS DISTINCT FROM excluded.oldest_queued_at
        OR job_pressure.checked_at < now() - interval '10 seconds' OR ${EARLIER}
      RETURNING wake_at
    )
    SELECT valid, coalesce((SELECT wake_at = ${wakeAt} FROM pressure), false) AS woken,
      coalesce((SELECT json_agg(id ORDER BY admission) FROM admitted), '[]') AS admitted
    FROM valid`);
  const [written] = rowsOf(writtenRow, rows);
  if (written?.valid !== true) return null;
  return { admitted: written.admitted, wake: written.woken ? choice.wake : null };
}

/** Whether the message for what a rate holds back is needed sooner than one that was arranged, however many see it. */
const EARLIER = sql`(excluded.wake_at IS NOT NULL AND (
  job_pressure.wake_at IS NULL OR job_pressure.wake_at <= now() OR job_pressure.wake_at > excluded.wake_at))`;

/** Forgets starts that no longer count. */
async function forgetStarts(db: Database, types: readonly JobType[]): Promise<void> {
  const longest = Math.max(...types.map((type) => type.rate?.perSeconds ?? 0));
  await db.execute(
    sql`DELETE FROM job_starts WHERE at < now() - make_interval(secs => ${longest})`,
  );
}

function idsOf(jobs: readonly Candidate[]): string {
  return JSON.stringify(jobs.map((job) => job.id));
}
