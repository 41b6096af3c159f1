import { and, eq } from "drizzle-orm";
import { jobResults } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { isStorableText } from "../../kernel/text.ts";
import { type Job, reachJob } from "../job.ts";

/** A result and the job that made it. */
export interface FoundResult {
  job: Job;
  result: typeof jobResults.$inferSelect;
}

/**
 * A result of a job that the principal may touch.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function findResult(
  context: Context,
  { jobId, name }: { jobId: string; name: string },
): Promise<FoundResult> {
  const job = await reachJob(context, jobId);
  const [result] = isStorableText(name)
    ? await context.db
        .select()
        .from(jobResults)
        .where(and(eq(jobResults.jobId, job.id), eq(jobResults.name, name)))
    : [];
  if (result) return { job, result };
  throw new AppError("not_found", {
    message: "This job has no result of this name. GET /v1/jobs/{id} names those that it has.",
  });
}
