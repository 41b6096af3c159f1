import type { SQL } from "drizzle-orm";
import type { WrittenStep } from "./job-lease.ts";
import type { StepRunner } from "./step-runner.ts";

/** What a program waits for. */
export interface Wait {
  waitingFor: string;
  /** Null for what has no time. */
  wakeAt: SQL | null;
  /** Written with it, where it is new. */
  step: Omit<WrittenStep, "state"> | null;
}

/** Writes that the job waits, and leaves the program where it is. */
export async function park(runner: StepRunner, wait: Wait): Promise<never> {
  const { lease, stop } = runner.parts;
  const seconds = await runner.ours(async () => {
    await lease.flush();
    return lease.park(null, wait);
  });
  return stop.halt({ kind: "parked", waitingFor: wait.waitingFor, seconds });
}
