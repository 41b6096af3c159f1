import { and, eq, sql } from "drizzle-orm";
import { scheduleRuns } from "#schema";
import type { Context } from "../kernel/context.ts";
import { newId } from "../kernel/ids.ts";
import type { DueRun } from "./due-times.ts";
import type { Schedule } from "./schedule.ts";
import type { ScheduleRun } from "./schedule-run.ts";
import { findSchedule } from "./schedules.ts";

/** A run that is ours until its lease ends. */
export interface ClaimedRun {
  schedule: Schedule;
  run: ScheduleRun;
}

const leaseEnd = (schedule: Schedule, now: Date) =>
  new Date(now.getTime() + schedule.leaseSeconds * 1000);

/** Takes the due runs that nobody has taken yet: a second tick for the same time gets none. */
export async function claimDueRuns(
  context: Pick<Context, "db" | "now">,
  due: readonly DueRun[],
): Promise<ClaimedRun[]> {
  if (due.length === 0) return [];
  const now = context.now();
  const rows = due.map(({ schedule, scheduledAt }) => ({
    id: newId("scheduleRun", now.getTime()),
    name: schedule.name,
    scheduledAt,
    trigger: "cron" as const,
    state: "running" as const,
    attempts: 1,
    startedAt: now,
    leaseUntil: leaseEnd(schedule, now),
    createdAt: now,
  }));
  const runs = await context.db.insert(scheduleRuns).values(rows).onConflictDoNothing().returning();
  return runs.flatMap((run) => {
    const schedule = findSchedule(run.name);
    return schedule ? [{ schedule, run }] : [];
  });
}

/**
 * Takes a queued run. A message may come twice or long after its run: then there is nothing to take.
 * @returns null when the run is not waiting, or does not exist
 */
export async function claimQueuedRun(
  context: Pick<Context, "db" | "now">,
  runId: string,
): Promise<ClaimedRun | null> {
  const waiting = and(eq(scheduleRuns.id, runId), eq(scheduleRuns.state, "queued"));
  const [row] = await context.db
    .select({ name: scheduleRuns.name })
    .from(scheduleRuns)
    .where(waiting);
  if (!row) return null;
  const now = context.now();
  const schedule = findSchedule(row.name);
  if (!schedule) {
    await context.db
      .update(scheduleRuns)
      .set({ state: "failed", endedAt: now, error: "This version has no schedule of this name." })
      .where(waiting);
    return null;
  }
  const [run] = await context.db
    .update(scheduleRuns)
    .set({
      state: "running",
      attempts: sql`${scheduleRuns.attempts} + 1`,
      startedAt: now,
      endedAt: null,
      error: null,
      leaseUntil: leaseEnd(schedule, now),
    })
    .where(waiting)
    .returning();
  return run ? { schedule, run } : null;
}
