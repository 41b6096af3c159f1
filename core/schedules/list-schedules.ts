import { sql } from "drizzle-orm";
import { scheduleRuns } from "#schema";
import type { Context } from "../kernel/context.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import type { ScheduleClock } from "./due-times.ts";
import type { Schedule } from "./schedule.ts";
import type { ScheduleRun } from "./schedule-run.ts";
import { SCHEDULES } from "./schedules.ts";

export interface ScheduleState {
  schedule: Schedule;
  nextAt: Date;
  lastRun: ScheduleRun | null;
}

/**
 * Every schedule, with its last run and when it is due next. Super admins only.
 * @throws AppError `forbidden`
 */
export async function listSchedules(
  context: Context,
  clock: ScheduleClock,
): Promise<ScheduleState[]> {
  requireSuperAdmin(context.principal);
  const names = JSON.stringify(SCHEDULES.map((schedule) => schedule.name));
  const newest = await context.db
    .select()
    .from(scheduleRuns)
    .where(
      sql`${scheduleRuns.id} IN (
        SELECT (SELECT run.id FROM schedule_runs AS run WHERE run.name = schedule.name ORDER BY run.id DESC LIMIT 1)
        FROM jsonb_array_elements_text(${names}::jsonb) AS schedule (name)
      )`,
    );
  const now = context.now();
  return SCHEDULES.map((schedule) => ({
    schedule,
    nextAt: clock.next(schedule.cadence, now),
    lastRun: newest.find((run) => run.name === schedule.name) ?? null,
  }));
}
