import { eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { jobSchedules } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { Context, TransactionContext } from "../../kernel/context.ts";
import { requireScope } from "../../kernel/principal.ts";
import { requireCallback } from "../callbacks/require-callback.ts";
import { checkJobInput, frozenRights } from "../create-job.ts";
import { jobTypeNamed } from "../job-types.ts";
import { JOB_PRIORITIES } from "../job.ts";
import {
  auditedFields,
  type JobSchedule,
  noSuchSchedule,
  reachSchedule,
  scheduleFields,
  type SchedulePorts,
} from "./job-schedule.ts";
import { firstTime } from "./schedule-times.ts";

export const updateScheduleInput = z
  .strictObject({ ...scheduleFields, paused: z.boolean() })
  .partial();

/** How long a reason of a stop stays readable: until it is resumed. */
const RUNNING = { pausedAt: null, stoppedAt: null, stoppedReason: null };

/**
 * Changes a schedule; what is left out stays. From then on its jobs act with what the principal may do: else a change
 * of the input would have somebody else's rights do it. To pause it is the one change that leaves them.
 * `paused: false` also starts one again that was stopped.
 * @throws AppError `missing_scope`, `not_found`, `validation_failed`
 */
export async function updateSchedule(
  context: Context,
  ports: SchedulePorts,
  input: z.infer<typeof updateScheduleInput> & { scheduleId: string },
): Promise<JobSchedule> {
  return context.transaction(async (inner) => {
    const before = await reachSchedule(inner, input.scheduleId, { lock: true });
    const changes = onlyPauses(input)
      ? { pausedAt: before.pausedAt ?? inner.now(), nextAt: null }
      : await changesOf(inner, ports, { before, input });
    const [after] = await inner.db
      .update(jobSchedules)
      .set({ ...changes, updatedAt: inner.now() })
      .where(eq(jobSchedules.id, before.id))
      .returning();
    if (!after) throw noSuchSchedule();
    await audit(inner, {
      action: "job_schedule.update",
      teamId: before.teamId,
      targetId: before.id,
      before: auditedFields(before),
      after: auditedFields(after),
    });
    return after;
  });
}

function onlyPauses({
  scheduleId: _,
  paused,
  ...others
}: object & { scheduleId: string; paused?: boolean | undefined }): boolean {
  return paused === true && Object.values(others).every((value) => value === undefined);
}

async function changesOf(
  context: TransactionContext,
  ports: SchedulePorts,
  { before, input }: { before: JobSchedule; input: z.infer<typeof updateScheduleInput> },
): Promise<Omit<Partial<JobSchedule>, "input"> & { input: SQL }> {
  const { principal } = context;
  const type = jobTypeNamed(input.type ?? before.type);
  requireScope(principal, type.scope);
  const jobInput = checkJobInput(type, input.input === undefined ? before.input : input.input);
  const recurrence = {
    cron: input.cron ?? before.cron,
    timeZone: input.time_zone ?? before.timeZone,
  };
  const nextAt = firstTime(recurrence, ports.clockOf, context.now());
  const url = input.callback_url === undefined ? before.callbackUrl : input.callback_url;
  await requireCallback(context, { ...ports, teamId: before.teamId, url });
  const stands = input.paused ?? (before.pausedAt !== null || before.stoppedAt !== null);
  return {
    name: input.name ?? before.name,
    ...recurrence,
    type: type.name,
    input: sql`${jobInput}::json`,
    priority: input.priority === undefined ? before.priority : JOB_PRIORITIES[input.priority],
    callbackUrl: url,
    missed: input.missed ?? before.missed,
    overlap: input.overlap ?? before.overlap,
    ...frozenRights(principal),
    ...(stands
      ? {
          nextAt: null,
          pausedAt: input.paused ? (before.pausedAt ?? context.now()) : before.pausedAt,
        }
      : { ...RUNNING, nextAt }),
  };
}
