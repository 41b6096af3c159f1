import { and, eq } from "drizzle-orm";
import { jobResults, jobs } from "#schema";
import type { Database } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import type { LinkedResult } from "./result-link.ts";

/**
 * Where the file of a result is, for whoever has an opened link to it.
 * @throws AppError `not_found` when the job or its result are gone
 */
export async function findLinkedResult(
  db: Database,
  { teamId, jobId, name }: LinkedResult,
): Promise<{ fileKey: string; name: string }> {
  const [found] = await db
    .select({ fileKey: jobResults.fileKey, name: jobResults.name })
    .from(jobResults)
    .innerJoin(jobs, eq(jobs.id, jobResults.jobId))
    .where(and(eq(jobs.id, jobId), eq(jobs.teamId, teamId), eq(jobResults.name, name)));
  if (found) return found;
  throw new AppError("not_found", { message: "What this link led to is gone." });
}
