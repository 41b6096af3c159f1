import { inArray, lt } from "drizzle-orm";
import { sessions } from "#schema";
import type { Context } from "../kernel/context.ts";

const ROWS_PER_CHUNK = 1_000;

/**
 * Removes rows of sessions that nobody has used since a time. A session erases itself and its row; this finds rows whose
 * session could not reach Postgres when it did. A session that lives after all writes its row again.
 */
export async function expireSessions(
  context: Pick<Context, "db" | "now">,
  { before, deadline }: { before: Date; deadline: Date },
): Promise<{ sessions: number; more: boolean }> {
  let removed = 0;
  while (context.now() < deadline) {
    const old = context.db
      .select({ id: sessions.id })
      .from(sessions)
      .where(lt(sessions.lastActiveAt, before))
      .limit(ROWS_PER_CHUNK);
    const deleted = await context.db
      .delete(sessions)
      .where(inArray(sessions.id, old))
      .returning({ id: sessions.id });
    removed += deleted.length;
    if (deleted.length < ROWS_PER_CHUNK) return { sessions: removed, more: false };
  }
  return { sessions: removed, more: true };
}
