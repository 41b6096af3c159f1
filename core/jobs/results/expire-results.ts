import { and, asc, eq, lt } from "drizzle-orm";
import { jobResults } from "#schema";
import type { FileStore } from "../../files/file-store.ts";
import type { Context } from "../../kernel/context.ts";

const ROWS_PER_CHUNK = 200;

/**
 * Removes the files that jobs made before a time; the jobs stay, with what they say of them. May die anywhere and be
 * repeated: a file goes before its row, so that none is left that nobody knows.
 * @returns how many were removed, and whether more may be left
 */
export async function expireResults(
  context: Pick<Context, "db" | "now">,
  { files, before, deadline }: { files: FileStore; before: Date; deadline: Date },
): Promise<{ files: number; more: boolean }> {
  let removed = 0;
  while (context.now() < deadline) {
    const old = await context.db
      .select({ jobId: jobResults.jobId, name: jobResults.name, fileKey: jobResults.fileKey })
      .from(jobResults)
      .where(lt(jobResults.createdAt, before))
      .orderBy(asc(jobResults.createdAt))
      .limit(ROWS_PER_CHUNK);
    await files.delete(old.map(({ fileKey }) => fileKey));
    for (const { jobId, name, fileKey } of old)
      await context.db.delete(jobResults).where(
        // A job that was retried meanwhile may have made it anew, at another place.
        and(
          eq(jobResults.jobId, jobId),
          eq(jobResults.name, name),
          eq(jobResults.fileKey, fileKey),
        ),
      );
    removed += old.length;
    if (old.length < ROWS_PER_CHUNK) return { files: removed, more: false };
  }
  return { files: removed, more: true };
}
