import { count, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { jobSchedules } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { TransactionContext } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { newId } from "../../kernel/ids.ts";
import { requireScope, requireTeam } from "../../kernel/principal.ts";
import { lockTeam } from "../../teams/reach-team.ts";
import { requireCallback } from "../callbacks/require-callback.ts";
import { checkJobInput, frozenRights } from "../create-job.ts";
import { jobTypeNamed } from "../job-types.ts";
import { JOB_PRIORITIES } from "../job.ts";
import {
  auditedFields,
  type JobSchedule,
  scheduleFields,
  type SchedulePorts,
  SCHEDULES_OF_TEAM,
} from "./job-schedule.ts";
import { firstTime } from "./schedule-times.ts";

export const createScheduleInput = z.strictObject({
  ...scheduleFields,
  time_zone: scheduleFields.time_zone.default("UTC"),
  priority: scheduleFields.priority.default("normal"),
  callback_url: scheduleFields.callback_url.default(null),
  missed: scheduleFields.missed.default("once"),
  overlap: scheduleFields.overlap.default("skip"),
  paused: z.boolean().default(false),
});

/**
 * Has a job made again and again. Its jobs act with what the principal may do now.
 * @throws AppError `missing_scope` without `jobs` and what the type asks for, `validation_failed`, `conflict` when the
 * team has too many schedules
 */
export async function createSchedule(
  context: TransactionContext,
  ports: SchedulePorts,
  input: z.infer<typeof createScheduleInput>,
): Promise<JobSchedule> {
  const { principal, db } = context;
  requireScope(principal, "jobs");
  const teamId = requireTeam(principal);
  const type = jobTypeNamed(input.type);
  requireScope(principal, type.scope);
  const jobInput = checkJobInput(type, input.input);
  const now = context.now();
  const recurrence = { cron: input.cron, timeZone: input.time_zone };
  const nextAt = firstTime(recurrence, ports.clockOf, now);
  await lockTeam(db, teamId);
  await requireCallback(context, { ...ports, teamId, url: input.callback_url });
  const [row] = await db
    .select({ schedules: count() })
    .from(jobSchedules)
    .where(eq(jobSchedules.teamId, teamId));
  if ((row?.schedules ?? 0) >= SCHEDULES_OF_TEAM) throw tooMany();
  const [schedule] = await db
    .insert(jobSchedules)
    .values({
      id: newId("jobSchedule", now.getTime()),
      teamId,
      name: input.name,
      ...recurrence,
      type: type.name,
      input: sql`${jobInput}::json`,
      priority: JOB_PRIORITIES[input.priority],
      callbackUrl: input.callback_url,
      missed: input.missed,
      overlap: input.overlap,
      nextAt: input.paused ? null : nextAt,
      pausedAt: input.paused ? now : null,
      ...frozenRights(principal),
      createdAt: now,
      updatedAt: now,
    })
    .returning();
  if (!schedule)
    throw new AppError("internal_error", { message: "Nothing was stored. Try again." });
  const change = { targetId: schedule.id, after: auditedFields(schedule) };
  await audit(context, { action: "job_schedule.create", teamId, ...change });
  return schedule;
}

function tooMany(): AppError {
  return new AppError("conflict", {
    message: `A team has ${SCHEDULES_OF_TEAM} schedules at most. Delete one first.`,
  });
}
