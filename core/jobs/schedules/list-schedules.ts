import { and, desc, lt } from "drizzle-orm";
import { jobSchedules } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../../kernel/page.ts";
import { requireScope } from "../../kernel/principal.ts";
import { type JobSchedule, schedulesVisibleTo } from "./job-schedule.ts";

/**
 * The schedules of the principal's team, the newest first; those of all teams for a super admin who names none.
 * @throws AppError `missing_scope`, `invalid_request`
 */
export async function listJobSchedules(
  context: Context,
  page: PageRequest,
): Promise<Page<JobSchedule>> {
  requireScope(context.principal, "jobs");
  const before = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(jobSchedules)
    .where(
      and(
        schedulesVisibleTo(context.principal),
        before === undefined ? undefined : lt(jobSchedules.id, before),
      ),
    )
    .orderBy(desc(jobSchedules.id))
    .limit(page.limit + 1);
  return toPage(
    rows,
    page.limit,
    (schedule) => schedule,
    (schedule) => [schedule.id],
  );
}
