import { sql } from "drizzle-orm";
import type { Context } from "../kernel/context.ts";

/**
 * How long a change of the partitions waits for the table to be free. While it waits, everything that comes after it
 * waits behind it, so it is short; the change is tried again the next time.
 */
const LOCK_TIMEOUT = "3s";

/**
 * Runs work that needs usage_records for itself, in one transaction.
 * @returns null when it could not be done, which is logged under the event's name
 */
export async function withLockTimeout<T>(
  context: Pick<Context, "transaction" | "log">,
  event: string,
  work: (inner: Context) => Promise<T>,
): Promise<T | null> {
  try {
    return await context.transaction(async (inner) => {
      await inner.db.execute(sql.raw(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`));
      return work(inner);
    });
  } catch (error) {
    context.log.warn(event, { error });
    return null;
  }
}
