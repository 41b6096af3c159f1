import { and, eq, sql } from "drizzle-orm";
import { jobCallbacks } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { TransactionContext } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { isStorableText } from "../../kernel/text.ts";
import { reachJob } from "../job.ts";
import { type JobCallback, toJobCallback } from "./list-callbacks.ts";

/**
 * Has a callback sent again, with the same id and the same words, however it stands, and retried from the start.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function resendCallback(
  context: TransactionContext,
  { jobId, callbackId }: { jobId: string; callbackId: string },
): Promise<JobCallback> {
  const job = await reachJob(context, jobId);
  const [row] = isStorableText(callbackId)
    ? await context.db
        .update(jobCallbacks)
        .set({
          state: "pending",
          dueAt: context.now(),
          triesBefore: sql`${jobCallbacks.attempts}`,
        })
        .where(and(eq(jobCallbacks.id, callbackId), eq(jobCallbacks.jobId, job.id)))
        .returning()
    : [];
  if (!row)
    throw new AppError("not_found", {
      message:
        "This job has no such callback. GET /v1/jobs/{id}/callbacks lists those that it has.",
    });
  const change = { targetId: row.id, after: { job_id: job.id, url: row.url } };
  await audit(context, { action: "job_callback.resend", teamId: job.teamId, ...change });
  return toJobCallback(row);
}
