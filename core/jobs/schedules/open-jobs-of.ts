import { and, asc, eq, inArray } from "drizzle-orm";
import { jobScheduleRuns, jobs } from "#schema";
import type { Context } from "../../kernel/context.ts";

/** Ids of the jobs of a schedule that have not ended, the oldest first. */
export async function openJobsOf(
  { db }: Pick<Context, "db">,
  scheduleId: string,
): Promise<string[]> {
  const rows = await db
    .select({ id: jobs.id })
    .from(jobScheduleRuns)
    .innerJoin(jobs, eq(jobs.id, jobScheduleRuns.jobId))
    .where(
      and(
        eq(jobScheduleRuns.scheduleId, scheduleId),
        inArray(jobs.state, ["queued", "scheduled", "running", "retrying"]),
      ),
    )
    .orderBy(asc(jobs.id));
  return rows.map(({ id }) => id);
}
