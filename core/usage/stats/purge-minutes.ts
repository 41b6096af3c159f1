import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../../kernel/context.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";

/** Rows that one statement deletes, so that it stays short. */
const ROWS_PER_CHUNK = 5_000;

const result = z.object({ deleted: z.coerce.number() });

/**
 * Removes counts of the minutes before a moment, in chunks; it may die anywhere and go on the next time.
 * @returns how many rows went, and whether the time was up before all had
 */
export async function purgeMinutes(
  context: Pick<Context, "db" | "now">,
  { before, deadline }: { before: Date; deadline: Date },
): Promise<{ rows: number; more: boolean }> {
  let rows = 0;
  while (context.now() < deadline) {
    const [chunk] = rowsOf(
      result,
      await context.db.execute(sql`
        WITH deleted AS (
          DELETE FROM usage_minutes WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM usage_minutes WHERE minute < ${before.toISOString()}::timestamptz
            ORDER BY minute LIMIT ${ROWS_PER_CHUNK} FOR UPDATE SKIP LOCKED
          )) RETURNING 1
        )
        SELECT count(*) AS deleted FROM deleted`),
    );
    rows += chunk?.deleted ?? 0;
    if ((chunk?.deleted ?? 0) < ROWS_PER_CHUNK) return { rows, more: false };
  }
  return { rows, more: true };
}
