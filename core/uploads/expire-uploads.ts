import { and, asc, eq, lt, sql } from "drizzle-orm";
import { jobs, uploads } from "#schema";
import type { Context } from "../kernel/context.ts";
import { eraseFile } from "./delete-upload.ts";
import type { UploadPorts } from "./upload.ts";

const ROWS_PER_CHUNK = 100;

/** No job that has not ended reads it. */
const IS_UNUSED = sql`NOT EXISTS (
  SELECT 1 FROM ${jobs}
  WHERE ${jobs.teamId} = ${uploads.teamId} AND ${jobs.state} IN ('queued', 'scheduled', 'running', 'retrying')
    AND ${jobs.input} ->> 'upload_id' = ${uploads.id}
)`;

/**
 * Removes uploads whose time is over with their files: unfinished ones after a day, files after 30 days, and one that a
 * job reads after that job's end. For the maintenance schedule; may die anywhere and be repeated.
 * @returns how many of each were removed, and whether more may be left
 */
export async function expireUploads(
  context: Pick<Context, "db" | "now">,
  ports: UploadPorts,
  deadline: Date,
): Promise<{ unfinished: number; files: number; more: boolean }> {
  const removed = { unfinished: 0, files: 0 };
  while (context.now() < deadline) {
    const ended = await context.db
      .select()
      .from(uploads)
      .where(and(lt(uploads.expiresAt, context.now()), IS_UNUSED))
      .orderBy(asc(uploads.expiresAt))
      .limit(ROWS_PER_CHUNK);
    for (const upload of ended) {
      await eraseFile(ports, upload);
      await context.db.delete(uploads).where(eq(uploads.id, upload.id));
      removed[upload.state === "open" ? "unfinished" : "files"] += 1;
    }
    if (ended.length < ROWS_PER_CHUNK) return { ...removed, more: false };
  }
  return { ...removed, more: true };
}
