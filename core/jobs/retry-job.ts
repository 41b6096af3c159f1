import { and, eq, inArray, sql } from "drizzle-orm";
import { jobs, jobSteps } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import type { JobDesk } from "./job-ports.ts";
import { type Job, reachJob } from "./job.ts";
import { refuseWhenFull } from "./open-jobs.ts";

/** What a job is again when it is retried. */
const ANEW = {
  state: "queued",
  waitingFor: "capacity",
  queuedAt: sql`now()`,
  dueAt: null,
  failures: 0,
  cancelRequestedAt: null,
  errorCode: null,
  errorMessage: null,
  finishedAt: null,
  updatedAt: sql`now()`,
} as const;

/**
 * Tries a job again that has failed or was cancelled, or that waits for its next attempt. Finished steps and committed
 * chunks stay as they are, and child jobs that did not succeed are tried again with it.
 * @param input.fromStart forgets all steps, and begins with the version of the program that there is now; effects of
 * finished steps are there twice then
 * @throws AppError `missing_scope`, `not_found`, `conflict` for a job in any other state, `rate_limit_exceeded`
 */
export async function retryJob(
  context: Context,
  desk: JobDesk,
  { jobId, fromStart = false }: { jobId: string; fromStart?: boolean },
): Promise<Job> {
  return context.transaction(async (inner) => {
    const before = await reachJob(inner, jobId, { lock: true });
    if (!["failed", "cancelled", "retrying"].includes(before.state))
      throw new AppError("conflict", {
        message: `Only jobs that have failed or were cancelled can be retried; the state of this one is ${before.state}.`,
      });
    if (before.state !== "retrying") await refuseWhenFull(inner.db, before.teamId);
    if (fromStart) await forgetSteps(inner, jobId);
    else await retryChildren(inner, jobId);
    const [after] = await inner.db.update(jobs).set(ANEW).where(eq(jobs.id, jobId)).returning();
    if (!after) throw new AppError("internal_error", { message: "The job was not stored." });
    await audit(inner, {
      action: "job.retry",
      teamId: before.teamId,
      targetId: jobId,
      before: { state: before.state },
      after: { state: after.state, ...(fromStart ? { from_start: true } : {}) },
    });
    await inner.afterCommit(() => desk.dispatch());
    return after;
  });
}

async function forgetSteps({ db }: TransactionContext, jobId: string): Promise<void> {
  await db.delete(jobSteps).where(eq(jobSteps.jobId, jobId));
  // Children of forgotten steps are no longer waited for, and make room for new ones.
  await db
    .update(jobs)
    .set({ parentId: null, parentStep: null, childIndex: null })
    .where(eq(jobs.parentId, jobId));
  await db
    .update(jobs)
    .set({ steps: 0, version: null, progressDone: 0, progressTotal: null, progressMessage: "" })
    .where(eq(jobs.id, jobId));
}

/** Children of the step that the job stands at; those of finished steps have all succeeded. */
async function retryChildren({ db }: TransactionContext, jobId: string): Promise<void> {
  const open = db
    .select({ name: jobSteps.name })
    .from(jobSteps)
    .where(
      and(eq(jobSteps.jobId, jobId), eq(jobSteps.kind, "children"), eq(jobSteps.state, "open")),
    );
  await db
    .update(jobs)
    .set(ANEW)
    .where(
      and(
        eq(jobs.parentId, jobId),
        inArray(jobs.parentStep, open),
        inArray(jobs.state, ["failed", "cancelled"]),
      ),
    );
}
