import { z } from "zod";
import { type JobDetails, hasEnded, resultUrl } from "../jobs/job.ts";
import type { Json } from "../jobs/job-type.ts";

/** A job as models and MCP clients are told of it. */
export const jobShape = z.object({
  job_id: z.string(),
  type: z.string(),
  state: z.string(),
  ended: z.boolean(),
  progress: z.object({ done: z.number(), total: z.number().nullable(), message: z.string() }),
  result: z.unknown().describe("What came of it; null until it has succeeded"),
  error: z.object({ code: z.string(), message: z.string().nullable() }).nullable(),
  files: z.array(z.object({ name: z.string(), url: z.string() })),
});

export function jobShown(job: JobDetails) {
  const { errorCode: code, errorMessage: message } = job;
  return {
    job_id: job.id,
    type: job.type,
    state: job.state,
    ended: hasEnded(job.state),
    progress: { done: job.progressDone, total: job.progressTotal, message: job.progressMessage },
    result: (job.result ?? null) as Json, // written as JSON by the job itself
    error: code === null ? null : { code, message },
    files: job.results.map(({ name }) => ({ name, url: resultUrl(job.id, name) })),
  };
}
