import type { Cadence, Schedule } from "./schedule.ts";

/** Reads cadences; a port, so that the cron library stays out of core. */
export interface ScheduleClock {
  /** The first time after the moment. */
  next(cadence: Cadence, after: Date): Date;
  /** The last time at or before the moment. */
  latest(cadence: Cadence, at: Date): Date | null;
}

/** A run that is due. */
export interface DueRun {
  schedule: Schedule;
  scheduledAt: Date;
}

/**
 * What is due in the minute of this tick. Schedules that catch up are due at their latest time, however long ago that
 * was: the row of the run that was made for it makes all but the first tick after it do nothing.
 */
export function dueRuns(
  schedules: readonly Schedule[],
  tick: Date,
  clock: ScheduleClock,
): DueRun[] {
  const minute = new Date(Math.floor(tick.getTime() / 60_000) * 60_000);
  return schedules.flatMap((schedule) => {
    const scheduledAt = clock.latest(schedule.cadence, minute);
    if (scheduledAt === null) return [];
    if (schedule.missed === "skip" && scheduledAt.getTime() !== minute.getTime()) return [];
    return [{ schedule, scheduledAt }];
  });
}
