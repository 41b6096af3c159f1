import { and, asc, eq, lte, sql } from "drizzle-orm";
import { jobScheduleRuns, jobSchedules, switchboard } from "#schema";
import { audit } from "../../audit/audit.ts";
import { actingAs } from "../../kernel/acting-as.ts";
import type { Context, TransactionContext } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import type { Principal } from "../../kernel/principal.ts";
import { SCOPES } from "../../kernel/scopes.ts";
import { createJob } from "../create-job.ts";
import { jobTypeNamed } from "../job-types.ts";
import { priorityNamed } from "../priority-named.ts";
import { auditedFields, type JobSchedule, type SchedulePorts } from "./job-schedule.ts";
import { openJobsOf } from "./open-jobs-of.ts";
import { type DueTime, dueTime } from "./schedule-times.ts";
import { whyStopped } from "./why-stopped.ts";

export interface DueJobsPorts extends SchedulePorts {
  /** Cancels jobs; called after the commit. */
  cancel(jobIds: readonly string[]): Promise<void>;
}

/** What a tick has made of the schedules that were due. */
export interface MadeJobs {
  made: number;
  skipped: number;
  refused: number;
  stopped: number;
}

type Outcome = Pick<typeof jobScheduleRuns.$inferInsert, "outcome" | "reason" | "jobId">;

/**
 * Makes the jobs of all schedules that are due, each in a transaction of its own: the job, the record of its time and
 * the next time are there together or not at all. The row's lock, the record's key and the job's idempotency key each
 * see to it that a time makes one job, however many ticks come at once.
 */
export async function makeDueJobs(
  context: Context,
  ports: DueJobsPorts,
  deadline: Date,
): Promise<MadeJobs> {
  const counts: MadeJobs = { made: 0, skipped: 0, refused: 0, stopped: 0 };
  while (context.now() < deadline) {
    const done = await context.transaction((inner) => makeNext(inner, ports));
    if (done === null) return counts;
    counts[done]++;
  }
  return counts;
}

/** @returns null where nothing is due, or somebody else sees to it */
async function makeNext(
  context: TransactionContext,
  ports: DueJobsPorts,
): Promise<keyof MadeJobs | null> {
  const now = context.now();
  const [schedule] = await context.db
    .select()
    .from(jobSchedules)
    .where(and(lte(jobSchedules.nextAt, now), notSwitchedOff(context)))
    .orderBy(asc(jobSchedules.nextAt))
    .limit(1)
    .for("update", { skipLocked: true });
  if (!schedule?.nextAt) return null;
  const reason = await whyStopped(context, schedule);
  if (reason !== null) return stop(context, schedule, reason);
  let time: DueTime;
  try {
    time = dueTime(schedule, { clockOf: ports.clockOf, due: schedule.nextAt, now });
  } catch {
    return stop(context, schedule, "It is never due any more.");
  }
  const outcome = await makeJob(context, ports, { schedule, time });
  await context.db
    .insert(jobScheduleRuns)
    .values({
      scheduleId: schedule.id,
      scheduledAt: time.at,
      trigger: "clock",
      missedTimes: time.missedTimes,
      ...outcome,
    })
    .onConflictDoNothing();
  await context.db
    .update(jobSchedules)
    .set({ nextAt: time.nextAt })
    .where(eq(jobSchedules.id, schedule.id));
  return outcome.outcome;
}

/** While a team or all changes are switched off, its schedules wait; what they miss is dealt with as they say. */
function notSwitchedOff({ db }: TransactionContext) {
  const off = db
    .select({ one: sql`1` })
    .from(switchboard)
    .where(sql`${switchboard.writesOff} OR ${jobSchedules.teamId} = ANY(${switchboard.teamsOff})`);
  return sql`NOT EXISTS ${off}`;
}

async function makeJob(
  context: TransactionContext,
  ports: DueJobsPorts,
  { schedule, time }: { schedule: JobSchedule; time: DueTime },
): Promise<Outcome> {
  if (time.late && schedule.missed === "skip")
    return { outcome: "skipped", reason: "Its time had passed." };
  const open = schedule.overlap === "allow" ? [] : await openJobsOf(context, schedule.id);
  if (open.length > 0 && schedule.overlap === "skip")
    return { outcome: "skipped", reason: `The job before, ${open[0]}, has not ended.` };
  try {
    const { job } = await createJob(actingAs(context, principalOf(schedule)), ports.desk, {
      type: jobTypeNamed(schedule.type),
      input: schedule.input,
      idempotencyKey: `${schedule.id}@${time.at.toISOString()}`,
      priority: priorityNamed(schedule.priority),
      callbackUrl: schedule.callbackUrl,
    });
    if (open.length > 0) await context.afterCommit(() => ports.cancel(open));
    return { outcome: "made", jobId: job.id };
  } catch (error) {
    // What the database says has broken the transaction; what we say ourselves has not.
    if (!(error instanceof AppError) || error.code === "internal_error") throw error;
    return { outcome: "refused", reason: error.message };
  }
}

/** Acts with what its maker was allowed when it was made or changed. */
function principalOf(schedule: JobSchedule): Principal {
  return {
    kind: "job",
    teamId: schedule.teamId,
    jobId: schedule.id,
    createdBy: schedule.createdBy,
    scopes: SCOPES.filter((scope) => schedule.scopes.includes(scope)),
    models: schedule.models,
    endUser: schedule.endUser,
  };
}

async function stop(
  context: TransactionContext,
  before: JobSchedule,
  reason: string,
): Promise<"stopped"> {
  const now = context.now();
  const change = { nextAt: null, stoppedAt: now, stoppedReason: reason, updatedAt: now };
  await context.db.update(jobSchedules).set(change).where(eq(jobSchedules.id, before.id));
  await audit(context, {
    action: "job_schedule.stop",
    teamId: before.teamId,
    targetId: before.id,
    before: auditedFields(before),
    after: auditedFields({ ...before, ...change }),
  });
  return "stopped";
}
