import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";
import { withLockTimeout } from "./lock-timeout.ts";

/** Rows that one statement deletes. */
const ROWS_PER_CHUNK = 5_000;

const partition = z.object({ name: z.string().regex(/^usage_records_\d{4}_\d{2}$/) });
const deletedRows = z.object({ deleted: z.coerce.number() });

export interface PurgeResult {
  /** Months whose partition was dropped. */
  partitions: string[];
  /** Rows that were deleted one by one, of months that are not over yet. */
  rows: number;
  /** Whether closed records are left, because the time was up or a partition was busy. */
  more: boolean;
}

/**
 * Removes the single records of closed hours: whole months by dropping their partition, the rest in chunks. It looks
 * at nothing but the books, so it may die anywhere and go on the next time.
 */
export async function purgeClosedRecords(
  context: Pick<Context, "db" | "transaction" | "now" | "log">,
  deadline: Date,
): Promise<PurgeResult> {
  const { dropped, busy } = await dropClosedMonths(context);
  let rows = 0;
  for (;;) {
    if (context.now() >= deadline) return { partitions: dropped, rows, more: true };
    const deleted = await deleteChunk(context.db);
    rows += deleted;
    if (deleted < ROWS_PER_CHUNK) return { partitions: dropped, rows, more: busy };
  }
}

async function dropClosedMonths(context: Pick<Context, "db" | "transaction" | "log">) {
  const closed = rowsOf(
    partition,
    await context.db.execute(sql`
      SELECT child.relname AS name FROM pg_inherits
      JOIN pg_class AS child ON child.oid = inhrelid
      WHERE inhparent = 'usage_records'::regclass AND child.relname ~ '^usage_records_[0-9]{4}_[0-9]{2}$'
        AND (to_date(right(child.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC'
          <= (SELECT closed_before FROM usage_books)
      ORDER BY 1
    `),
  ).map((row) => row.name);
  const dropped: string[] = [];
  for (const name of closed) {
    const done = await withLockTimeout(context, "usage_partition_not_dropped", async ({ db }) => {
      await db.execute(sql`DROP TABLE IF EXISTS ${sql.identifier(name)}`);
      return true;
    });
    if (done) dropped.push(name);
  }
  return { dropped, busy: dropped.length < closed.length };
}

async function deleteChunk(db: Context["db"]): Promise<number> {
  const result = await db.execute(sql`
    WITH chunk AS (
      SELECT at, id, attempt FROM usage_records WHERE at < (SELECT closed_before FROM usage_books)
      ORDER BY at, id, attempt LIMIT ${ROWS_PER_CHUNK}
    ), deleted AS (
      DELETE FROM usage_records AS record USING chunk
      WHERE record.at = chunk.at AND record.id = chunk.id AND record.attempt = chunk.attempt
        AND record.at < (SELECT closed_before FROM usage_books)
      RETURNING 1
    )
    SELECT count(*) AS deleted FROM deleted
  `);
  return rowsOf(deletedRows, result)[0]?.deleted ?? 0;
}
