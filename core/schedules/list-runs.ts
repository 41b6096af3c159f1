import { and, desc, eq, lt } from "drizzle-orm";
import { scheduleRuns } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import type { ScheduleRun } from "./schedule-run.ts";
import { scheduleNamed } from "./schedules.ts";

/**
 * The runs of a schedule, the newest first. Super admins only.
 * @throws AppError `forbidden`, `not_found`, `invalid_request`
 */
export async function listRuns(
  context: Context,
  name: string,
  page: PageRequest,
): Promise<Page<ScheduleRun>> {
  requireSuperAdmin(context.principal);
  const schedule = scheduleNamed(name);
  const before = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(scheduleRuns)
    .where(
      and(
        eq(scheduleRuns.name, schedule.name),
        before === undefined ? undefined : lt(scheduleRuns.id, before),
      ),
    )
    .orderBy(desc(scheduleRuns.id))
    .limit(page.limit + 1);
  return toPage(
    rows,
    page.limit,
    (run) => run,
    (run) => [run.id],
  );
}
