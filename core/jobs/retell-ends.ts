import { gt, inArray, and, asc } from "drizzle-orm";
import { jobs } from "#schema";
import type { Context } from "../kernel/context.ts";
import type { JobFeed } from "./job-feed.ts";

/** Ends of so long ago are told again, in milliseconds: the tick comes each minute, and may come late. */
const BACK_MS = 5 * 60_000;
/** Ends that are told again at once. */
const AT_ONCE = 5_000;

/**
 * Tells the ends of jobs again, should whoever ended them have died between its commit and the telling: no watcher waits
 * in vain. The feed leaves out what it knows.
 * @returns how many were told
 */
export async function retellEnds(
  { db, now }: Pick<Context, "db" | "now">,
  feed: JobFeed,
): Promise<number> {
  const ended = await db
    .select({
      id: jobs.id,
      teamId: jobs.teamId,
      state: jobs.state,
      attempt: jobs.attempt,
      error: jobs.errorMessage,
      finishedAt: jobs.finishedAt,
    })
    .from(jobs)
    .where(
      and(
        gt(jobs.finishedAt, new Date(now().getTime() - BACK_MS)),
        inArray(jobs.state, ["succeeded", "failed", "cancelled"]),
      ),
    )
    .orderBy(asc(jobs.finishedAt))
    .limit(AT_ONCE);
  for (const [teamId, ends] of Map.groupBy(ended, (job) => job.teamId))
    await feed.publish(
      teamId,
      ends.map(({ id, state, attempt, error, finishedAt }) => ({
        jobId: id,
        at: (finishedAt ?? now()).getTime(),
        kind: "state" as const,
        state,
        attempt,
        error,
        again: true as const,
      })),
    );
  return ended.length;
}
