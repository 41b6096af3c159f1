import { eq } from "drizzle-orm";
import { jobs } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { cancelJobs } from "./after-end.ts";
import type { JobDesk } from "./job-ports.ts";
import { hasEnded, type Job, reachJob } from "./job.ts";

/**
 * Cancels a job: one that waits is cancelled at once, one that runs stops at its next step or chunk, and what is
 * committed stays. Its children are cancelled with it. Cancelling it again changes nothing.
 * @returns the job; still `running`, with `cancelRequestedAt`, where a process has to hear of it first
 * @throws AppError `missing_scope`, `not_found`, `conflict` when it has ended otherwise
 */
export async function cancelJob(
  context: Context,
  desk: JobDesk,
  { jobId }: { jobId: string },
): Promise<Job> {
  return context.transaction(async (inner) => {
    const before = await reachJob(inner, jobId, { lock: true });
    if (before.state === "cancelled") return before;
    if (hasEnded(before.state))
      throw new AppError("conflict", {
        message: `The job has ${before.state === "failed" ? "failed" : "succeeded"} already.`,
      });
    const ended = await cancelJobs(inner, eq(jobs.id, jobId));
    const after = await reachJob(inner, jobId);
    await audit(inner, {
      action: "job.cancel",
      teamId: before.teamId,
      targetId: jobId,
      before: { state: before.state, cancel_requested: before.cancelRequestedAt !== null },
      after: { state: after.state, cancel_requested: after.cancelRequestedAt !== null },
    });
    await inner.afterCommit(() => desk.dispatch(ended));
    return after;
  });
}
