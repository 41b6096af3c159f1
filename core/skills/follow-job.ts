import type { ModelCall } from "../gateway/model-call.ts";
import { hasEnded, type JobDetails } from "../jobs/job.ts";
import type { SkillHost } from "./skill-host.ts";

/** How often a client is told of a job's progress meanwhile, in milliseconds. */
const PROGRESS_MS = 2_000;

export interface JobProgress {
  done: number;
  total: number | null;
  message: string;
}

/** Who waits for a job. */
export interface Follower extends Pick<ModelCall, "clientSignal"> {
  /** For how long, in milliseconds. */
  patienceMs: number;
  /** Is told how far it is. */
  onProgress(progress: JobProgress): Promise<void> | void;
}

/**
 * Waits for a job and tells how far it is.
 * @returns the job as it is when it ends, when the time is up, or when nobody can say any more when it ends
 */
export async function followJob(
  {
    awaitJob,
    gateway,
  }: Pick<SkillHost, "awaitJob"> & { gateway: Pick<SkillHost["gateway"], "now"> },
  job: { id: string; teamId: string },
  { clientSignal, patienceMs, onProgress }: Follower,
): Promise<JobDetails> {
  const endsAt = gateway.now() + patienceMs;
  let told = -1;
  for (;;) {
    const begunAt = gateway.now();
    const wait = Math.max(0, Math.min(PROGRESS_MS, endsAt - begunAt));
    const details = await awaitJob(job, wait);
    const { progressDone: done, progressTotal: total, progressMessage: message } = details;
    if (done > told) await onProgress({ done, total, message });
    told = Math.max(told, done);
    if (hasEnded(details.state) || wait === 0 || clientSignal?.aborted) return details;
    // A feed that is out of reach or full answers at once; asking on would be a loop without a pause.
    if (gateway.now() - begunAt < wait / 2) return details;
  }
}
