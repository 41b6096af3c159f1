import { Cron } from "croner";
import type { ScheduleClock } from "#core/schedules/due-times.ts";
import type { Cadence } from "#core/schedules/schedule.ts";

/**
 * Reads cron expressions. Where clocks are set forward over a time it counts at the end of the gap, where they are set
 * back it counts once.
 * @param timeZone an IANA name, for cadences by the local clock
 */
export function createScheduleClock(timeZone: string): ScheduleClock {
  const parse = ({ cron, clock }: Cadence) =>
    new Cron(cron, { mode: "5-part", timezone: clock === "utc" ? "UTC" : timeZone, paused: true });
  return {
    next(cadence, after) {
      const next = parse(cadence).nextRun(after);
      if (next === null) throw new Error(`The cadence ${cadence.cron} is never due`);
      return next;
    },
    // previousRuns leaves out the moment itself.
    latest: (cadence, at) =>
      parse(cadence).previousRuns(1, new Date(at.getTime() + 1_000))[0] ?? null,
  };
}
