import { and, eq, type SQL } from "drizzle-orm";
import { z } from "zod";
import { type jobScheduleRuns, jobSchedules, MISSED_TIMES, OVERLAPS } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { isId } from "../../kernel/ids.ts";
import { type Principal, requireScope, seesSessionsOf, teamScope } from "../../kernel/principal.ts";
import { line } from "../../kernel/text.ts";
import type { JobDesk } from "../job-ports.ts";
import { JOB_PRIORITIES, type JobPriority } from "../job.ts";
import type { ClockOf } from "./schedule-times.ts";

export type JobSchedule = typeof jobSchedules.$inferSelect;
export type JobScheduleRun = typeof jobScheduleRuns.$inferSelect;

/** What schedules need of the world. */
export interface SchedulePorts {
  clockOf: ClockOf;
  desk: JobDesk;
  /** Development only: callbacks to private addresses. */
  allowPrivate: boolean;
}

/** Schedules of one team. */
export const SCHEDULES_OF_TEAM = 200;

const PRIORITIES = Object.keys(JOB_PRIORITIES) as [JobPriority, ...JobPriority[]]; // Object.keys forgets the literal types

/** What can be said of a schedule. */
export const scheduleFields = {
  name: line(200),
  cron: z
    .string()
    .trim()
    .max(100)
    .describe("Five fields: minute, hour, day of the month, month, day of the week"),
  time_zone: z.string().max(64).describe("An IANA name, by whose clock the fields are read"),
  type: z.string().max(100).describe("What kind of job, as in POST /v1/jobs"),
  input: z.unknown().describe("As in POST /v1/jobs; it is checked now"),
  priority: z.enum(PRIORITIES),
  callback_url: z.string().max(2_000).nullable(),
  missed: z
    .enum(MISSED_TIMES)
    .describe(
      "When nothing could be made for a while: `once` makes up for the last time, `skip` for none",
    ),
  overlap: z
    .enum(OVERLAPS)
    .describe(
      "When the job before has not ended: `skip` leaves this time out, `allow` makes it all the same, `replace` cancels the one before",
    ),
};

/** Which schedules a principal may touch; undefined is all, and only super admins who named no team get it. */
export function schedulesVisibleTo(principal: Principal): SQL | undefined {
  const teamId = teamScope(principal);
  const endUser = seesSessionsOf(principal);
  return and(
    teamId === null ? undefined : eq(jobSchedules.teamId, teamId),
    endUser === null ? undefined : eq(jobSchedules.endUser, endUser),
  );
}

/** The one answer for a schedule that is not there and for one that is none of the principal's business. */
export function noSuchSchedule(): AppError {
  return new AppError("not_found", {
    message: "There is no such schedule. GET /v1/jobs/schedules lists those that you can see.",
  });
}

/**
 * A schedule that the principal may touch.
 * @param options.lock holds its row until the transaction's end
 * @throws AppError `missing_scope`, `not_found`
 */
export async function reachSchedule(
  context: Context,
  scheduleId: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<JobSchedule> {
  requireScope(context.principal, "jobs");
  const visible = schedulesVisibleTo(context.principal);
  if (!isId("jobSchedule", scheduleId)) throw noSuchSchedule();
  const query = context.db
    .select()
    .from(jobSchedules)
    .where(and(eq(jobSchedules.id, scheduleId), visible));
  const [schedule] = await (lock ? query.for("update") : query);
  if (!schedule) throw noSuchSchedule();
  return schedule;
}

/** A schedule as the audit log keeps it: all but what is in the input, which is the team's own business. */
export function auditedFields(schedule: JobSchedule): Record<string, unknown> {
  const { input: _, ...fields } = schedule;
  return fields;
}
