import { and, eq, type SQL } from "drizzle-orm";
import {
  type JOB_STATES,
  type jobAttempts,
  type jobLogLines,
  type jobResults,
  jobs,
} from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";
import { type Principal, requireScope, seesSessionsOf, teamScope } from "../kernel/principal.ts";

/** A job as it is stored. */
export type Job = typeof jobs.$inferSelect;

export type JobState = (typeof JOB_STATES)[number];

/** Names of priorities, as clients know them, and how they are stored. */
export const JOB_PRIORITIES = { low: -1, normal: 0, high: 1 } as const;

export type JobPriority = keyof typeof JOB_PRIORITIES;

/** Bytes of a job's input, of a step's result and of a job's result, as JSON in UTF-8. */
export const JOB_JSON_BYTES = 256 * 1024;
/** Steps of a job, and children of a step. */
export const JOB_STEPS = 1_000;
export const JOB_CHILDREN = 1_000;
/** Events that one job may be sent. */
export const JOB_EVENTS = 1_000;
/** Lines of its log that a job keeps, and characters of each. */
export const JOB_LOG_LINES = 1_000;
export const JOB_LOG_LINE_LENGTH = 2_000;
/** Jobs of one team that have not ended; about, since two that are made at once count neither the other. */
export const JOBS_OF_TEAM = 10_000;
/** The longest that a job may wait for a time, in milliseconds: a year. */
export const JOB_WAIT_MS = 366 * 24 * 3600 * 1000;

/** Whether a job in this state does nothing more unless it is retried by hand. */
export function hasEnded(state: JobState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** One line of a job's timeline. */
export interface JobStep {
  name: string;
  kind: "run" | "transaction" | "chunks" | "sleep" | "event" | "children";
  state: "open" | "done" | "failed";
  /** Committed chunks, or the number of children. */
  count: number;
  wakeAt: Date | null;
  attempt: number;
  startedAt: Date;
  finishedAt: Date | null;
}

/** A job with everything that is known of it. */
export interface JobDetails extends Job {
  attempts: (typeof jobAttempts.$inferSelect)[];
  timeline: JobStep[];
  log: (typeof jobLogLines.$inferSelect)[];
  results: (typeof jobResults.$inferSelect)[];
}

/** Which jobs a principal may touch; undefined is all, and only super admins who named no team get it. */
export function jobsVisibleTo(principal: Principal): SQL | undefined {
  const teamId = teamScope(principal);
  const endUser = seesSessionsOf(principal);
  return and(
    teamId === null ? undefined : eq(jobs.teamId, teamId),
    endUser === null ? undefined : eq(jobs.endUser, endUser),
  );
}

/**
 * A job that the principal may touch.
 * @param options.lock holds its row until the transaction's end
 * @throws AppError `missing_scope`, `not_found`
 */
export async function reachJob(
  context: Context,
  jobId: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<Job> {
  requireScope(context.principal, "jobs");
  const visible = jobsVisibleTo(context.principal);
  if (!isId("job", jobId)) throw noSuchJob();
  const query = context.db
    .select()
    .from(jobs)
    .where(and(eq(jobs.id, jobId), visible));
  const [job] = await (lock ? query.for("update") : query);
  if (!job) throw noSuchJob();
  return job;
}

/** The one answer for a job that is not there and for one that is none of the principal's business. */
function noSuchJob(): AppError {
  return new AppError("not_found", {
    message: "There is no such job. GET /v1/jobs lists those that you can see.",
  });
}

/** Where a result is had, relative to the service. */
export function resultUrl(jobId: string, name: string): string {
  return `/v1/jobs/${jobId}/results/${encodeURIComponent(name)}`;
}
