import { asc, eq } from "drizzle-orm";
import { z } from "zod";
import { jobCallbacks } from "#schema";
import type { Context } from "../../kernel/context.ts";
import { reachJob } from "../job.ts";
import { type CallbackAttempt, callbackAttempt } from "./callback-attempt.ts";

/** A callback as its team sees it. */
export interface JobCallback {
  id: string;
  url: string;
  event: string;
  state: "pending" | "delivered" | "failed";
  attempts: number;
  /** When it is sent the next time; null where it is not. */
  nextAt: Date | null;
  deliveredAt: Date | null;
  createdAt: Date;
  log: CallbackAttempt[];
}

const attempts = z.array(callbackAttempt);

/** A row as its team sees it. */
export function toJobCallback(row: typeof jobCallbacks.$inferSelect): JobCallback {
  const { id, url, event, state, deliveredAt, createdAt } = row;
  return {
    id,
    url,
    event,
    state,
    attempts: row.attempts,
    nextAt: state === "pending" ? row.dueAt : null,
    deliveredAt,
    createdAt,
    log: attempts.parse(row.log),
  };
}

/**
 * The callbacks of a job, the oldest first: one for each of its ends, with what came of each try.
 * @throws AppError `missing_scope`, `not_found`
 */
export async function listCallbacks(
  context: Context,
  { jobId }: { jobId: string },
): Promise<JobCallback[]> {
  const job = await reachJob(context, jobId);
  const rows = await context.db
    .select()
    .from(jobCallbacks)
    .where(eq(jobCallbacks.jobId, job.id))
    .orderBy(asc(jobCallbacks.createdAt), asc(jobCallbacks.id));
  return rows.map(toJobCallback);
}
