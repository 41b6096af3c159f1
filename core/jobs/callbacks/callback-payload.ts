import type { jobResults } from "#schema";
import { type Job, resultUrl } from "../job.ts";

/**
 * What a callback says: how the job ended, in the manner of Standard Webhooks. Its input, steps and log are not in it;
 * GET /v1/jobs/{id} has them.
 * @param event such as `job.succeeded`; it decides, should the job have been retried since
 */
export function callbackPayload(
  event: string,
  job: Job,
  results: readonly (typeof jobResults.$inferSelect)[],
): string {
  const time = (date: Date | null) => date?.toISOString() ?? null;
  const state = event.replace(/^job\./, "");
  const changed = job.state !== state;
  return JSON.stringify({
    type: event,
    timestamp: time(job.finishedAt ?? job.updatedAt),
    data: {
      id: job.id,
      team_id: job.teamId,
      type: job.type,
      state,
      result: changed ? null : job.result,
      error:
        changed || job.errorCode === null
          ? null
          : { code: job.errorCode, message: job.errorMessage ?? "" },
      results: results.map(({ name, size, contentType }) => ({
        name,
        size,
        content_type: contentType,
        url: resultUrl(job.id, name),
      })),
      idempotency_key: job.idempotencyKey,
      created_at: time(job.createdAt),
      started_at: time(job.startedAt),
      finished_at: time(job.finishedAt),
    },
  });
}
