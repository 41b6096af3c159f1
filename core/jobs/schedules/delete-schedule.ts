import { eq } from "drizzle-orm";
import { jobSchedules } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { Context } from "../../kernel/context.ts";
import { auditedFields, reachSchedule } from "./job-schedule.ts";

/**
 * Deletes a schedule and the record of its times. Jobs that it has made stay, and go on.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function deleteSchedule(
  context: Context,
  { scheduleId }: { scheduleId: string },
): Promise<void> {
  await context.transaction(async (inner) => {
    const before = await reachSchedule(inner, scheduleId, { lock: true });
    await inner.db.delete(jobSchedules).where(eq(jobSchedules.id, before.id));
    const change = { targetId: before.id, before: auditedFields(before) };
    await audit(inner, { action: "job_schedule.delete", teamId: before.teamId, ...change });
  });
}
