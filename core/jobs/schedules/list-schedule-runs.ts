import { and, desc, eq, lt } from "drizzle-orm";
import { jobScheduleRuns } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../../kernel/page.ts";
import { type JobScheduleRun, reachSchedule } from "./job-schedule.ts";

/**
 * What came of a schedule's times, the latest first.
 * @throws AppError `missing_scope`, `not_found`, `invalid_request`
 */
export async function listScheduleRuns(
  context: Context,
  { scheduleId, ...page }: PageRequest & { scheduleId: string },
): Promise<Page<JobScheduleRun>> {
  const schedule = await reachSchedule(context, scheduleId);
  const before = page.cursor === undefined ? undefined : momentOf(page.cursor);
  const rows = await context.db
    .select()
    .from(jobScheduleRuns)
    .where(
      and(
        eq(jobScheduleRuns.scheduleId, schedule.id),
        before === undefined ? undefined : lt(jobScheduleRuns.scheduledAt, before),
      ),
    )
    .orderBy(desc(jobScheduleRuns.scheduledAt))
    .limit(page.limit + 1);
  return toPage(
    rows,
    page.limit,
    (run) => run,
    (run) => [run.scheduledAt.getTime()],
  );
}

/** Times are whole milliseconds, and two runs of one schedule never share one. */
function momentOf(cursor: string): Date {
  const moment = new Date(Number(decodeCursor(cursor, 1)[0]));
  if (!Number.isNaN(moment.getTime())) return moment;
  throw new AppError("invalid_request", {
    message: "cursor is not one that a list gave. Start again without it.",
    param: "cursor",
  });
}
