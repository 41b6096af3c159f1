import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";

const line = z.object({ closed_before: z.string() });

/**
 * Closes the hours before a moment: their sums are final from here on, and their single records may go. It stops short
 * at the first hour that is still dirty, and never opens an hour again. Records that come for a closed hour are set
 * aside, since without the hour's other records nobody could tell a late one from one that was counted.
 * @returns the moment before which all is closed
 */
export async function closeBooks(
  context: Pick<Context, "transaction">,
  before: Date,
): Promise<Date> {
  return context.transaction(async ({ db }) => {
    // Waits for the consumers that hold the row shared: the next statement sees the marks they made.
    await db.execute(sql`SELECT closed_before FROM usage_books FOR UPDATE`);
    const result = await db.execute(sql`
      UPDATE usage_books SET closed_before = greatest(
        closed_before,
        least(
          date_trunc('hour', ${before.toISOString()}::timestamptz, 'UTC'),
          (SELECT min(hour) FROM usage_dirty_hours)
        )
      )
      RETURNING to_char(closed_before AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS closed_before
    `);
    const [row] = rowsOf(line, result);
    if (!row) throw new Error("usage_books has lost its row; the migrations write it");
    return new Date(row.closed_before);
  });
}
