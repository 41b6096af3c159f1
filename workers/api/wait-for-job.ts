import { getJob } from "#core/jobs/get-job.ts";
import { hasEnded, type JobDetails } from "#core/jobs/job.ts";
import type { AppContext } from "./app-types.ts";

/** The longest that a request waits for its job, in seconds. */
const LONGEST_WAIT_SECONDS = 60;

/** The seconds of `Prefer: wait=20` (RFC 7240), 0 without it. */
export function wantedWait(header: string | undefined): number {
  const wait = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;|,|$)/i.exec(header ?? "")?.[1];
  return Math.min(Number(wait ?? 0), LONGEST_WAIT_SECONDS);
}

/**
 * Waits for a job's end by its feed, and only then looks at it.
 * @returns null when it is not over in this time
 */
export async function waitForJob(
  c: AppContext,
  job: { id: string; teamId: string },
  seconds: number,
): Promise<JobDetails | null> {
  const { jobFeed } = c.get("deps");
  if (seconds > 0) await jobFeed.awaitEnd(job.teamId, job.id, seconds * 1000);
  const details = await getJob(c.get("context"), { jobId: job.id });
  return hasEnded(details.state) ? details : null;
}
