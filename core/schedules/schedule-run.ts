import type { scheduleRuns } from "#schema";

/** A run of a schedule as it is stored. */
export type ScheduleRun = typeof scheduleRuns.$inferSelect;

/** Whether a run will change no more. */
export function hasEnded(run: ScheduleRun): boolean {
  return run.state === "succeeded" || run.state === "failed";
}
