import type { z } from "zod";
import { getJob } from "#core/jobs/get-job.ts";
import { hasEnded, type JobDetails } from "#core/jobs/job.ts";
import type { AppContext } from "./app-types.ts";
import { encodeJob, type jobSchema } from "./job-shape.ts";

/** The longest that a request waits for its job, in seconds. */
const LONGEST_WAIT_SECONDS = 60;

/** The seconds of `Prefer: wait=20` (RFC 7240), 0 without it. */
function wantedWait(header: string | undefined): number {
  const wait = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:;|,|$)/i.exec(header ?? "")?.[1];
  return Math.min(Number(wait ?? 0), LONGEST_WAIT_SECONDS);
}

/** Waits for a job's end by its feed, and only then looks at it. @returns the job as it is then, ended or not */
export async function waitForJob(
  c: AppContext,
  job: { id: string; teamId: string },
  milliseconds: number,
): Promise<JobDetails> {
  const { jobFeed } = c.get("deps");
  if (milliseconds > 0) await jobFeed.awaitEnd(job.teamId, job.id, milliseconds);
  return getJob(c.get("context"), { jobId: job.id });
}

/** Answers with a job that was asked for: 200 where it ends in the time that the client waits, else 202 with it as it is then. */
export async function answerJob(c: AppContext, made: z.infer<typeof jobSchema>) {
  const seconds = wantedWait(c.req.header("prefer"));
  if (seconds === 0) return c.json(made, 202);
  c.header("preference-applied", `wait=${seconds}`);
  const { id, team_id: teamId, state } = made;
  // One that has ended long ago, as for a key that was used before, is in no feed any more.
  const details = await waitForJob(c, { id, teamId }, hasEnded(state) ? 0 : seconds * 1_000);
  return c.json(encodeJob(details), hasEnded(details.state) ? 200 : 202);
}
