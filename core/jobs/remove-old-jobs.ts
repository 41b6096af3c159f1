import { inArray, sql } from "drizzle-orm";
import { z } from "zod";
import { jobs } from "#schema";
import type { FileStore } from "../files/file-store.ts";
import { removeFiles } from "../files/remove-files.ts";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";

/** Jobs that go in one transaction, which holds their rows while their files go. */
const AT_ONCE = 50;
/** Jobs of one run: each costs a request or two to the store, of which an invocation has 10,000. */
const A_RUN = 2_000;

const oldRow = z.object({ id: z.string(), team_id: z.string(), finished_at: z.coerce.date() });
type OldJob = z.output<typeof oldRow>;

export interface OldJobs {
  files: FileStore;
  /** Jobs that ended before it go. */
  before: Date;
  /** Nothing new is begun after this. */
  deadline: Date;
}

/**
 * Removes jobs that ended long ago, with their steps, attempts, log, events and callbacks, and whatever is left of them
 * in the store: pieces of work, and files of processes that died. A job stays while it has results (which go by
 * themselves, see `expireResults`), while a callback of it is being tried, while its parent is there, and while a child of
 * it has not ended. May die anywhere and be repeated: files go first, while the job's row is held, so that no retry comes
 * in between.
 * @returns how many went, and whether more may be left
 */
export async function removeOldJobs(
  context: Pick<Context, "transaction" | "now">,
  { files, before, deadline }: OldJobs,
): Promise<{ jobs: number; more: boolean }> {
  let removed = 0;
  let last: OldJob | null = null;
  while (context.now() < deadline && removed < A_RUN) {
    const from: OldJob | null = last; // TypeScript does not follow it into the closure
    const gone: OldJob[] = await context.transaction(async (inner) => {
      const old = await holdOld(inner, before, from);
      await Promise.all(old.map((job) => removeFiles(files, `${job.team_id}/jobs/${job.id}/`)));
      if (old.length > 0)
        await inner.db.delete(jobs).where(
          inArray(
            jobs.id,
            old.map(({ id }) => id),
          ),
        );
      return old;
    });
    removed += gone.length;
    last = gone.at(-1) ?? null;
    if (gone.length < AT_ONCE) return { jobs: removed, more: false };
  }
  return { jobs: removed, more: true };
}

/** The next ones, locked. One that somebody else holds is being retried, say, and is looked at the next time. */
async function holdOld(
  { db }: Pick<TransactionContext, "db">,
  before: Date,
  last: OldJob | null,
): Promise<OldJob[]> {
  const after = last
    ? sql`(finished_at, id) > (${last.finished_at.toISOString()}::timestamptz, ${last.id})`
    : sql`true`;
  const rows = await db.execute(sql`
    SELECT id, team_id, finished_at FROM jobs
    WHERE finished_at < ${before.toISOString()}::timestamptz AND ${after}
      AND state IN ('succeeded', 'failed', 'cancelled')
      AND NOT EXISTS (SELECT 1 FROM jobs AS parent WHERE parent.id = jobs.parent_id)
      AND NOT EXISTS (
        SELECT 1 FROM jobs AS child
        WHERE child.parent_id = jobs.id AND child.state NOT IN ('succeeded', 'failed', 'cancelled')
      )
      AND NOT EXISTS (SELECT 1 FROM job_results WHERE job_id = jobs.id)
      AND NOT EXISTS (SELECT 1 FROM job_callbacks WHERE job_id = jobs.id AND job_callbacks.state = 'pending')
    ORDER BY finished_at, id LIMIT ${AT_ONCE} FOR UPDATE OF jobs SKIP LOCKED`);
  return rowsOf(oldRow, rows);
}
