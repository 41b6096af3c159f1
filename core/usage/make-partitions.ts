import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { rowsOf } from "../kernel/sql-rows.ts";
import { withLockTimeout } from "./lock-timeout.ts";

/** Months that have a partition before they begin, so one that was busy has many nights left. */
const MONTHS_AHEAD = 3;

const result = z.object({ made: z.coerce.number() });

/**
 * Makes the partitions of this month and the coming ones.
 * @returns how many are new; null when the table was too busy, so that it has to be tried again
 */
export async function makePartitions(
  context: Pick<Context, "transaction" | "now" | "log">,
): Promise<number | null> {
  const now = context.now().toISOString();
  return withLockTimeout(context, "usage_partitions_not_made", async ({ db }) => {
    const made = await db.execute(
      sql`SELECT ensure_usage_partitions(${now}::timestamptz, ${MONTHS_AHEAD}::integer) AS made`,
    );
    return rowsOf(result, made)[0]?.made ?? 0;
  });
}
