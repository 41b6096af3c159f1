import { claimDueRuns } from "#core/schedules/claim-runs.ts";
import { dueRuns } from "#core/schedules/due-times.ts";
import { executeRun } from "#core/schedules/execute-run.ts";
import { SCHEDULES } from "#core/schedules/schedules.ts";
import type { CronDeps } from "./deps.ts";

/**
 * Does what is due at a minute. It runs the schedules itself instead of sending them through the queue: the check of
 * the queue's health must not depend on the queue.
 */
export async function tick(deps: CronDeps, minute: Date): Promise<void> {
  const context = deps.scheduleContext();
  const claimed = await claimDueRuns(context, dueRuns(SCHEDULES, minute, deps.clock));
  const endings = await Promise.allSettled(claimed.map((run) => executeRun(context, run)));
  for (const ending of endings) {
    if (ending.status === "rejected")
      deps.log.error("schedule_end_not_stored", { error: ending.reason });
  }
}
