import { and, eq, inArray, lt, or } from "drizzle-orm";
import { deadLetters, jobScheduleRuns, scheduleRuns } from "#schema";
import type { Schedule } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days that runs by hand, failed runs and dead letters are kept. */
const KEPT_DAYS = 30;
/** Days that runs by the clock that went well are kept; there are thousands a day. */
const ROUTINE_DAYS = 7;

/** Removes old records of our own operation. */
export const operationsRetention: Schedule = {
  name: "operations_retention",
  description: `Removes schedule runs, what came of recurring jobs and dead letters older than ${KEPT_DAYS} days, and successful runs by the clock after ${ROUTINE_DAYS} days.`,
  cadence: { cron: "47 4 * * *", clock: "local" },
  missed: "catch_up",
  leaseSeconds: 600,
  retries: 1,
  async run(context) {
    const daysAgo = (days: number) => new Date(context.now().getTime() - days * DAY_MS);
    const runs = await context.db
      .delete(scheduleRuns)
      .where(
        and(
          inArray(scheduleRuns.state, ["succeeded", "failed"]),
          or(
            lt(scheduleRuns.createdAt, daysAgo(KEPT_DAYS)),
            and(
              eq(scheduleRuns.state, "succeeded"),
              eq(scheduleRuns.trigger, "cron"),
              lt(scheduleRuns.createdAt, daysAgo(ROUTINE_DAYS)),
            ),
          ),
        ),
      )
      .returning({ attempts: scheduleRuns.attempts });
    const letters = await context.db
      .delete(deadLetters)
      .where(lt(deadLetters.createdAt, daysAgo(KEPT_DAYS)))
      .returning({ queue: deadLetters.queue });
    const times = await context.db
      .delete(jobScheduleRuns)
      .where(lt(jobScheduleRuns.createdAt, daysAgo(KEPT_DAYS)))
      .returning({ trigger: jobScheduleRuns.trigger });
    return {
      runs_deleted: runs.length,
      dead_letters_deleted: letters.length,
      recurring_times_deleted: times.length,
    };
  },
};
