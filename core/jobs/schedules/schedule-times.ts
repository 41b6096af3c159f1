import { AppError } from "../../kernel/errors.ts";
import type { ScheduleClock } from "../../schedules/due-times.ts";

/** The clock of a time zone; a port, so that the cron library stays out of core. */
export type ClockOf = (timeZone: string) => ScheduleClock;

/** When a recurring job is due: a cron expression of five fields, by the clock of a place. */
export interface Recurrence {
  cron: string;
  timeZone: string;
}

/** A time that is so far back was missed: the tick comes each minute. */
const LATE_MS = 5 * 60_000;
/** Missed times are counted up to this. */
const COUNTED = 1_000;

const cadenceOf = ({ cron }: Recurrence) => ({ cron, clock: "local" }) as const;

/** The times after the moment, the first first. */
export function nextTimes(
  recurrence: Recurrence,
  { clockOf, after, count }: { clockOf: ClockOf; after: Date; count: number },
): Date[] {
  const clock = clockOf(recurrence.timeZone);
  const times: Date[] = [];
  for (let time = after; times.length < count; times.push(time))
    time = clock.next(cadenceOf(recurrence), time);
  return times;
}

/**
 * Checks what somebody gave.
 * @returns the first time after the moment
 * @throws AppError `validation_failed`
 */
export function firstTime(recurrence: Recurrence, clockOf: ClockOf, after: Date): Date {
  let clock: ScheduleClock;
  try {
    if (!/^[A-Za-z][\w+/-]{0,63}$/.test(recurrence.timeZone)) throw new RangeError("no IANA name");
    Intl.DateTimeFormat("en", { timeZone: recurrence.timeZone });
    clock = clockOf(recurrence.timeZone);
  } catch {
    throw invalid("time_zone", "must be an IANA time zone, such as Europe/Berlin");
  }
  try {
    return clock.next(cadenceOf(recurrence), after);
  } catch {
    throw invalid(
      "cron",
      'must be a cron expression of five fields that is due some day, such as "0 8 * * 1-5"',
    );
  }
}

function invalid(path: string, message: string): AppError {
  return new AppError("validation_failed", {
    message: `${path}: ${message}`,
    fields: [{ path, message }],
  });
}

/** What is to be done at a moment for a schedule whose time has come. */
export interface DueTime {
  /** The time that counts: the latest one. */
  at: Date;
  /** Times before it that are let go. */
  missedTimes: number;
  /** Whether `at` itself is too far back for a schedule that makes up for nothing. */
  late: boolean;
  nextAt: Date;
}

/** @param due the first time that was not dealt with, which is not after `now` */
export function dueTime(
  recurrence: Recurrence,
  { clockOf, due, now }: { clockOf: ClockOf; due: Date; now: Date },
): DueTime {
  const clock = clockOf(recurrence.timeZone);
  const cadence = cadenceOf(recurrence);
  const latest = clock.latest(cadence, now);
  // `due` was computed by the same clock; should its rules have changed since, it counts all the same.
  const at = latest === null || latest < due ? due : latest;
  let missedTimes = 0;
  for (let time = due; time < at && missedTimes < COUNTED; missedTimes++)
    time = clock.next(cadence, time);
  return {
    at,
    missedTimes,
    late: now.getTime() - at.getTime() > LATE_MS,
    nextAt: clock.next(cadence, now > at ? now : at),
  };
}
