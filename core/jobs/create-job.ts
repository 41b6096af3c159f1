import { and, eq, sql } from "drizzle-orm";
import { jobPressure, jobs } from "#schema";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { sha256Hex } from "../kernel/digest.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { isForeignKeyViolation } from "../kernel/postgres-errors.ts";
import {
  actorName,
  hasScope,
  type Principal,
  requireScope,
  requireTeam,
} from "../kernel/principal.ts";
import { SCOPES } from "../kernel/scopes.ts";
import { validationError } from "../kernel/validation-error.ts";
import { loadSkillsOff } from "../skills/load-skills-off.ts";
import { skillSwitchedOff } from "../skills/skill-switched-off.ts";
import { boundedJobJson } from "./job-json.ts";
import type { JobDesk } from "./job-ports.ts";
import { refuseWhenFull, RETRY_AFTER_SECONDS } from "./open-jobs.ts";
import type { Json, JobType } from "./job-type.ts";
import { type Job, JOB_PRIORITIES, JOB_WAIT_MS, type JobPriority } from "./job.ts";

export interface CreateJobInput<Input, Result extends Json> {
  type: JobType<Input, Result>;
  /** As it came; it is checked against the type. */
  input: unknown;
  /** The same key in the same team gives the same job, as long as its row is kept. */
  idempotencyKey?: string | null;
  priority?: JobPriority;
  /** Not before then; at most a year ahead. */
  runAt?: Date | null;
  /** Told how the job ended. Whether it may be called is for the caller to check. */
  callbackUrl?: string | null;
}

/**
 * Makes a job for the principal's team. It is a row before its id is returned, and acts with what the principal is
 * allowed now.
 * @returns the job, and whether it is a new one
 * @throws AppError `missing_scope` without `jobs` and what the type asks for, `validation_failed`, `skill_switched_off`,
 * `idempotency_mismatch`, `rate_limit_exceeded` when the team has too many jobs, `unavailable` for one of low priority
 * while the queue is too long
 */
export async function createJob<Input, Result extends Json>(
  context: Context,
  desk: JobDesk,
  input: CreateJobInput<Input, Result>,
): Promise<{ job: Job; created: boolean }> {
  const { principal } = context;
  requireScope(principal, "jobs");
  requireScope(principal, input.type.scope);
  const teamId = requireTeam(principal);
  const inputJson = checkJobInput(input.type, input.input);
  checkRunAt(input.runAt ?? null, context.now());
  const requestHash = await sha256Hex(`${input.type.name}\n${inputJson}`);
  const made = await context.transaction(async (inner) => {
    const earlier = await findByKey(inner, teamId, input.idempotencyKey ?? null);
    if (earlier) return { job: earlier, created: false };
    await refuseSwitchedOff(inner, teamId, input.type);
    await refuseWhenFull(inner.db, teamId);
    if (input.priority === "low") await refuseUnderPressure(inner, desk.queueAgeLimitSeconds);
    const job = await insertJob(inner, { ...input, teamId, inputJson, requestHash });
    if (!job) {
      const winner = await findByKey(inner, teamId, input.idempotencyKey ?? null);
      if (winner) return { job: winner, created: false };
      throw new AppError("internal_error", { message: "The job was not stored. Try again." });
    }
    await inner.afterCommit(async () => {
      await desk.dispatch().catch((error: unknown) => {
        context.log.warn("jobs_not_dispatched", { job_id: job.id, error });
      });
    });
    return { job, created: true };
  });
  if (made.job.requestHash !== requestHash)
    throw new AppError("idempotency_mismatch", {
      message: "This idempotency_key was used for a job of another type or with another input.",
      param: "idempotency_key",
    });
  if (made.created)
    context.log.info("job_created", { job_id: made.job.id, team_id: teamId, type: made.job.type });
  return made;
}

/**
 * The input as JSON, once the type has said that it takes it.
 * @throws AppError `validation_failed`
 */
export function checkJobInput(type: JobType<unknown, Json>, input: unknown): string {
  const json = boundedJobJson(input, "input");
  const checked = type.input.safeParse(JSON.parse(json));
  if (checked.success) return json;
  throw validationError(checked.error, "input");
}

/** Jobs that do the work of a skill are another way to it, also by hand and by a schedule. */
async function refuseSwitchedOff(
  { db }: TransactionContext,
  teamId: string,
  { skill }: JobType<unknown, Json>,
): Promise<void> {
  if (skill === undefined) return;
  if ((await loadSkillsOff(db, teamId)).includes(skill)) throw skillSwitchedOff(skill);
}

function checkRunAt(runAt: Date | null, now: Date): void {
  if (runAt === null || runAt.getTime() - now.getTime() <= JOB_WAIT_MS) return;
  throw new AppError("validation_failed", {
    message: "run_at: may be a year ahead at most.",
    fields: [{ path: "run_at", message: "must be within a year" }],
  });
}

async function findByKey(
  { db }: TransactionContext,
  teamId: string,
  key: string | null,
): Promise<Job | null> {
  if (key === null) return null;
  const [job] = await db
    .select()
    .from(jobs)
    .where(and(eq(jobs.teamId, teamId), eq(jobs.idempotencyKey, key)));
  return job ?? null;
}

async function refuseUnderPressure(
  { db }: TransactionContext,
  limitSeconds: number,
): Promise<void> {
  const [row] = await db
    .select({
      late: sql<boolean>`${jobPressure.oldestQueuedAt} < now() - make_interval(secs => ${limitSeconds})`,
    })
    .from(jobPressure);
  if (row?.late !== true) return;
  throw new AppError("unavailable", {
    message:
      "Jobs wait for too long right now, so that none of low priority is taken. Try again later, or send it with another priority.",
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

interface NewJob extends Omit<CreateJobInput<unknown, Json>, "input"> {
  teamId: string;
  inputJson: string;
  requestHash: string;
}

/** @returns null where somebody has made one with the same key at the same time */
async function insertJob(context: TransactionContext, job: NewJob): Promise<Job | null> {
  const runAt = job.runAt?.toISOString() ?? null;
  const later = sql`${runAt}::timestamptz > now()`;
  const now = context.now();
  try {
    const [row] = await context.db
      .insert(jobs)
      .values({
        id: newId("job", now.getTime()),
        teamId: job.teamId,
        type: job.type.name,
        input: sql`${job.inputJson}::json`,
        ...frozenRights(context.principal),
        idempotencyKey: job.idempotencyKey ?? null,
        requestHash: job.requestHash,
        priority: JOB_PRIORITIES[job.priority ?? "normal"],
        callbackUrl: job.callbackUrl ?? null,
        state: sql`CASE WHEN ${later} THEN 'scheduled' ELSE 'queued' END`,
        waitingFor: sql`CASE WHEN ${later} THEN 'run_at' ELSE 'capacity' END`,
        dueAt: sql`CASE WHEN ${later} THEN ${runAt}::timestamptz END`,
      })
      .onConflictDoNothing({ target: [jobs.teamId, jobs.idempotencyKey] })
      .returning();
    return row ?? null;
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error;
    throw new AppError("not_found", { message: `There is no team ${job.teamId}.` });
  }
}

/** What the maker of a job may do, as the job keeps it. */
export function frozenRights(
  principal: Principal,
): Pick<Job, "createdBy" | "scopes" | "models" | "endUser"> {
  const limited =
    principal.kind === "key" || principal.kind === "token" || principal.kind === "job";
  return {
    createdBy: principal.kind === "job" ? principal.createdBy : actorName(principal),
    scopes: SCOPES.filter((scope) => hasScope(principal, scope)),
    models: limited ? [...principal.models] : ["*"],
    endUser:
      principal.kind === "token" || principal.kind === "telegram" || principal.kind === "job"
        ? principal.endUser
        : null,
  };
}
