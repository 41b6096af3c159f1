import type { Logger } from "../../kernel/log.ts";
import { type JobLease, LeaseLost } from "./job-lease.ts";
import type { StopSign } from "./stop.ts";

/** How often a running job looks whether it has something to tell, in milliseconds. */
const BEAT_MS = 1_000;
/** Part of the lease after which it is prolonged even where there is nothing to tell. */
const PROLONGED_AT = 1 / 3;

export interface PulseParts {
  lease: JobLease;
  stop: StopSign;
  log: Logger;
  leaseSeconds: number;
  stepSeconds: number;
}

/**
 * The life of a running job: prolongs its lease, writes and tells its progress at most once a second, and hears whether
 * it is to stop. It writes by the fence, so that it cannot keep a job that was taken away.
 * @returns ends it; what is being written is waited for
 */
export function startPulse(parts: PulseParts): () => Promise<void> {
  const { lease, stop, log, leaseSeconds, stepSeconds } = parts;
  const { report } = lease;
  let last = performance.now();
  let ended = false;
  let beating: Promise<void> | null = null;
  const beat = async () => {
    const due = performance.now() - last >= leaseSeconds * 1000 * PROLONGED_AT;
    try {
      if (due || report.unwritten) {
        const { off } = await lease.beat();
        last = performance.now();
        if (off) stop.raise({ kind: "team_off" });
        if (lease.cancelled) stop.raise({ kind: "cancelled" });
      }
      await report.publish();
    } catch (error) {
      if (error instanceof LeaseLost) return stop.raise({ kind: "lost" });
      log.warn("job_beat_failed", { error }); // the lease has time for another one
    }
  };
  const interval = Math.min(BEAT_MS, leaseSeconds * 1000 * PROLONGED_AT);
  const timer = setInterval(() => {
    if (beating || ended || stop.stop) return;
    beating = beat().finally(() => (beating = null));
  }, interval);
  const overtime = setTimeout(() => stop.raise({ kind: "overtime" }), stepSeconds * 1000);
  return async () => {
    ended = true;
    clearInterval(timer);
    clearTimeout(overtime);
    await beating;
  };
}
