import { asc, eq } from "drizzle-orm";
import { jobAttempts, jobLogLines, jobResults, jobSteps } from "#schema";
import type { Context } from "../kernel/context.ts";
import { type JobDetails, reachJob } from "./job.ts";

/**
 * A job with its attempts, its timeline, its log and the names of its results.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function getJob(context: Context, input: { jobId: string }): Promise<JobDetails> {
  const job = await reachJob(context, input.jobId);
  const { db } = context;
  const [attempts, timeline, log, results] = await Promise.all([
    db
      .select()
      .from(jobAttempts)
      .where(eq(jobAttempts.jobId, job.id))
      .orderBy(asc(jobAttempts.number)),
    db
      .select({
        name: jobSteps.name,
        kind: jobSteps.kind,
        state: jobSteps.state,
        count: jobSteps.count,
        wakeAt: jobSteps.wakeAt,
        attempt: jobSteps.attempt,
        startedAt: jobSteps.startedAt,
        finishedAt: jobSteps.finishedAt,
      })
      .from(jobSteps)
      .where(eq(jobSteps.jobId, job.id))
      .orderBy(asc(jobSteps.position)),
    db
      .select()
      .from(jobLogLines)
      .where(eq(jobLogLines.jobId, job.id))
      .orderBy(asc(jobLogLines.number)),
    db.select().from(jobResults).where(eq(jobResults.jobId, job.id)).orderBy(asc(jobResults.name)),
  ]);
  return { ...job, attempts, timeline, log, results };
}
