import { jobScheduleRuns } from "#schema";
import { audit } from "../../audit/audit.ts";
import type { TransactionContext } from "../../kernel/context.ts";
import { requireTeam } from "../../kernel/principal.ts";
import { actingAs } from "../../kernel/acting-as.ts";
import { createJob } from "../create-job.ts";
import { jobTypeNamed } from "../job-types.ts";
import type { Job } from "../job.ts";
import { reachSchedule, type SchedulePorts } from "./job-schedule.ts";
import { priorityNamed } from "../priority-named.ts";

/**
 * Makes a schedule's job now, whether it is paused or not; its next time stays. The job acts with what the principal
 * may do, not with what the schedule may.
 * @throws AppError `missing_scope`, `not_found`, and whatever createJob throws
 */
export async function runSchedule(
  context: TransactionContext,
  ports: SchedulePorts,
  { scheduleId }: { scheduleId: string },
): Promise<Job> {
  const schedule = await reachSchedule(context, scheduleId, { lock: true });
  const { teamId } = schedule;
  const principal = context.principal;
  // A super admin who named no team acts for the schedule's.
  const inTeam =
    principal.kind === "super_admin" ? actingAs(context, { ...principal, teamId }) : context;
  requireTeam(inTeam.principal);
  const { job } = await createJob(inTeam, ports.desk, {
    type: jobTypeNamed(schedule.type),
    input: schedule.input,
    priority: priorityNamed(schedule.priority),
    callbackUrl: schedule.callbackUrl,
  });
  await noteRun(context, schedule.id, job.id);
  const change = { targetId: schedule.id, after: { job_id: job.id } };
  await audit(context, { action: "job_schedule.run", teamId, ...change });
  return job;
}

async function noteRun(
  context: TransactionContext,
  scheduleId: string,
  jobId: string,
): Promise<void> {
  // Two requests may come in one millisecond, and each stands for a time of its own.
  for (let time = context.now().getTime(); ; time++) {
    if (time % 1000 === 0) continue; // whole seconds are the clock's own
    const noted = await context.db
      .insert(jobScheduleRuns)
      .values({
        scheduleId,
        scheduledAt: new Date(time),
        trigger: "manual",
        outcome: "made",
        jobId,
      })
      .onConflictDoNothing()
      .returning({ jobId: jobScheduleRuns.jobId });
    if (noted.length > 0) return;
  }
}
