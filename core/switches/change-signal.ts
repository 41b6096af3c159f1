import { eq, sql } from "drizzle-orm";
import { switchboard } from "#schema";
import type { TransactionContext } from "../kernel/context.ts";
import { toSignal } from "./signal.ts";

type Row = typeof switchboard.$inferSelect;
type Changes = Partial<Pick<Row, "botOffAt" | "writesOff" | "providersOff" | "teamsOff">>;

/**
 * Changes what every isolate has to know, in the change's own transaction, and tells it once that is committed.
 * @param change from the row as it is, locked
 * @returns the row before and after
 */
export async function changeSignal(
  context: TransactionContext,
  change: (row: Row) => Changes,
): Promise<{ before: Row; after: Row }> {
  const asked = context.now().getTime();
  const [before] = await context.db.select().from(switchboard).for("update");
  if (!before) throw new Error("The switchboard has no row; its migration makes it.");
  const [after] = await context.db
    .update(switchboard)
    .set({
      ...change(before),
      version: sql`${switchboard.version} + 1`,
      updatedAt: context.now(),
    })
    .where(eq(switchboard.only, true))
    .returning();
  if (!after) throw new Error("The switchboard's row is gone.");
  await context.afterCommit(() => context.announce(toSignal(after, asked)));
  return { before, after };
}

/** Lets every isolate read providers and models anew within a second of the commit. */
export async function changeCatalog(context: TransactionContext): Promise<void> {
  const asked = context.now().getTime();
  const [after] = await context.db
    .update(switchboard)
    .set({
      version: sql`${switchboard.version} + 1`,
      catalogVersion: sql`${switchboard.catalogVersion} + 1`,
    })
    .where(eq(switchboard.only, true))
    .returning();
  if (after) await context.afterCommit(() => context.announce(toSignal(after, asked)));
}
