import { and, eq } from "drizzle-orm";
import { scheduleRuns } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import { hasEnded, type ScheduleRun } from "./schedule-run.ts";
import { scheduleNamed } from "./schedules.ts";

const POLL_MS = 200;

export interface GetRunInput {
  name: string;
  id: string;
}

/**
 * One run. Super admins only.
 * @throws AppError `forbidden`, `not_found`
 */
export async function getRun(context: Context, { name, id }: GetRunInput): Promise<ScheduleRun> {
  requireSuperAdmin(context.principal);
  const schedule = scheduleNamed(name);
  const [run] = isId("scheduleRun", id)
    ? await context.db
        .select()
        .from(scheduleRuns)
        .where(and(eq(scheduleRuns.id, id), eq(scheduleRuns.name, schedule.name)))
    : [];
  if (run) return run;
  throw new AppError("not_found", {
    message: `There is no such run of ${schedule.name}; old runs are removed.`,
  });
}

/**
 * Waits until a run has ended.
 * @param waitMs for how long at most, in milliseconds
 * @returns the run as it is then, ended or not
 * @throws AppError as getRun does
 */
export async function awaitRun(
  context: Context,
  input: GetRunInput,
  waitMs: number,
): Promise<ScheduleRun> {
  const end = context.now().getTime() + waitMs;
  for (;;) {
    const run = await getRun(context, input);
    if (hasEnded(run) || context.now().getTime() >= end) return run;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
