import { and, asc, count, inArray, isNull } from "drizzle-orm";
import { jobs } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { requireScope } from "../kernel/principal.ts";
import { cancelJobs } from "./after-end.ts";
import { type JobFilter, jobsMatching } from "./job-filter.ts";
import type { JobDesk } from "./job-ports.ts";
import type { JobState } from "./job.ts";
import { OPEN_STATES } from "./open-jobs.ts";
import { retryJob } from "./retry-job.ts";

export interface BulkInput extends JobFilter {
  /** How many jobs are changed at most. */
  limit: number;
}

/** What came of a change of many. */
export interface BulkResult {
  /** Ids of the jobs that were changed. */
  changed: string[];
  /** Jobs that the filter names as well and that were left as they are; the same request again goes on with them. */
  left: number;
}

/** Those of the states that were asked for in which the change means something. */
function statesOf(filter: JobFilter, possible: readonly JobState[]): JobState[] {
  const asked = filter.states;
  return asked === undefined ? [...possible] : possible.filter((state) => asked.includes(state));
}

/**
 * Cancels jobs by a search, the oldest first, as cancelJob does each.
 * @throws AppError `missing_scope`
 */
export async function cancelMatching(
  context: Context,
  desk: JobDesk,
  input: BulkInput,
): Promise<BulkResult> {
  requireScope(context.principal, "jobs");
  const filter = { ...input, states: statesOf(input, OPEN_STATES) };
  if (filter.states.length === 0) return { changed: [], left: 0 };
  const open = and(jobsMatching(context.principal, filter), isNull(jobs.cancelRequestedAt));
  const changed = await context.transaction(async (inner) => {
    const chosen = await inner.db
      .select({ id: jobs.id, teamId: jobs.teamId, state: jobs.state })
      .from(jobs)
      .where(open)
      .orderBy(asc(jobs.id))
      .limit(input.limit)
      .for("update", { skipLocked: true });
    if (chosen.length === 0) return [];
    const ids = chosen.map(({ id }) => id);
    const ended = await cancelJobs(inner, inArray(jobs.id, ids));
    const endedIds = new Set(ended.map(({ id }) => id));
    for (const job of chosen) await auditCancel(inner, job, endedIds.has(job.id));
    await inner.afterCommit(() => desk.dispatch(ended));
    return ids;
  });
  const [rest] = await context.db.select({ left: count() }).from(jobs).where(open);
  return { changed, left: rest?.left ?? 0 };
}

async function auditCancel(
  context: TransactionContext,
  job: { id: string; teamId: string; state: JobState },
  ended: boolean,
): Promise<void> {
  await audit(context, {
    action: "job.cancel",
    teamId: job.teamId,
    targetId: job.id,
    before: { state: job.state, cancel_requested: false },
    after: { state: ended ? "cancelled" : job.state, cancel_requested: !ended },
  });
}

/**
 * Retries jobs by a search that have failed or were cancelled, the oldest first, as retryJob does each. Where the team
 * has as many open jobs as it may, the rest is left.
 * @throws AppError `missing_scope`
 */
export async function retryMatching(
  context: Context,
  desk: JobDesk,
  input: BulkInput,
): Promise<BulkResult> {
  requireScope(context.principal, "jobs");
  const filter = { ...input, states: statesOf(input, ["failed", "cancelled"]) };
  if (filter.states.length === 0) return { changed: [], left: 0 };
  const over = jobsMatching(context.principal, filter);
  const chosen = await context.db
    .select({ id: jobs.id })
    .from(jobs)
    .where(over)
    .orderBy(asc(jobs.id))
    .limit(input.limit);
  const changed: string[] = [];
  for (const { id: jobId } of chosen) {
    const retried = await tryAgain(context, desk, jobId);
    if (retried === "full") break;
    if (retried) changed.push(jobId);
  }
  const [rest] = await context.db.select({ left: count() }).from(jobs).where(over);
  return { changed, left: rest?.left ?? 0 };
}

/** @returns false where somebody else was faster */
async function tryAgain(context: Context, desk: JobDesk, jobId: string): Promise<boolean | "full"> {
  try {
    await retryJob(context, desk, { jobId });
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "rate_limit_exceeded") return "full";
    if (error.code === "conflict" || error.code === "not_found") return false;
    throw error;
  }
}
