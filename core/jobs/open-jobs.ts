import { and, eq, inArray, sql } from "drizzle-orm";
import { jobs } from "#schema";
import type { Database } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { JOBS_OF_TEAM } from "./job.ts";

/** States of jobs that have not ended. */
export const OPEN_STATES = ["queued", "scheduled", "running", "retrying"] as const;

/** Seconds after which somebody whom the queue had no room for may ask again. */
export const RETRY_AFTER_SECONDS = 60;

/**
 * Refuses more jobs to a team that has enough of them. Those that are made at the same time count nobody else's, so
 * that the bound may be passed by a few.
 * @throws AppError `rate_limit_exceeded`
 */
export async function refuseWhenFull(db: Database, teamId: string, wanted = 1): Promise<void> {
  const open = db
    .select({ one: sql`1` })
    .from(jobs)
    .where(and(eq(jobs.teamId, teamId), inArray(jobs.state, [...OPEN_STATES])))
    .limit(JOBS_OF_TEAM)
    .as("open");
  const [row] = await db.select({ open: sql<number>`count(*)::integer` }).from(open);
  if ((row?.open ?? 0) + wanted <= JOBS_OF_TEAM) return;
  throw new AppError("rate_limit_exceeded", {
    message: `A team may have ${JOBS_OF_TEAM} jobs that have not ended. Wait for some to end, or cancel them.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
