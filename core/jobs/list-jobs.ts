import { and, count, desc, getTableColumns, lt } from "drizzle-orm";
import { JOB_STATES, jobs } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope } from "../kernel/principal.ts";
import { type JobFilter, jobsMatching } from "./job-filter.ts";
import type { Job, JobState } from "./job.ts";

/** A job without what can be large. */
export type JobSummary = Omit<Job, "input" | "result">;

/** Numbers of jobs by their state, of all states. */
export type JobCounts = Record<JobState, number>;

/**
 * Jobs of the principal's team, the newest first; of all teams for a super admin who names none.
 * @throws AppError `missing_scope`, `invalid_request`
 */
export async function listJobs(
  context: Context,
  { limit, cursor, ...filter }: PageRequest & JobFilter,
): Promise<Page<JobSummary>> {
  requireScope(context.principal, "jobs");
  const before = cursor === undefined ? undefined : String(decodeCursor(cursor, 1)[0]);
  const { input: _, result: __, ...columns } = getTableColumns(jobs);
  const rows = await context.db
    .select(columns)
    .from(jobs)
    .where(
      and(
        jobsMatching(context.principal, filter),
        before === undefined ? undefined : lt(jobs.id, before),
      ),
    )
    .orderBy(desc(jobs.id))
    .limit(limit + 1);
  return toPage(
    rows,
    limit,
    (job) => job,
    (job) => [job.id],
  );
}

/**
 * How many jobs there are in each state, of those that the filter names but for its states.
 * @throws AppError `missing_scope`
 */
export async function countJobs(context: Context, filter: JobFilter): Promise<JobCounts> {
  requireScope(context.principal, "jobs");
  const rows = await context.db
    .select({ state: jobs.state, jobs: count() })
    .from(jobs)
    .where(jobsMatching(context.principal, { ...filter, states: undefined }))
    .groupBy(jobs.state);
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as JobCounts; // fromEntries forgets the names
  for (const { state, jobs: number } of rows) counts[state] = number;
  return counts;
}
