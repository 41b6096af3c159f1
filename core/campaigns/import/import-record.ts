import { and, count, desc, eq, gt, isNotNull } from "drizzle-orm";
import { campaignImports, campaigns } from "#schema";
import type { TransactionContext } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import type { ImportResult } from "./import-type.ts";

type ImportRow = typeof campaignImports.$inferSelect;

/** A new import, or what came of the same file when it is the last one that was imported. */
export type BegunImport =
  | { number: number; earlier: null }
  | { number: null; earlier: ImportResult };

/**
 * Begins an import in the books. The same file, read the same way, right after itself changes nothing; after another
 * file it is a correction, and is read again.
 */
export async function beginImport(
  { db }: TransactionContext,
  of: { teamId: string; jobId: string; uploadId: string; contentHash: string },
): Promise<BegunImport> {
  const [last] = await db
    .select()
    .from(campaignImports)
    .where(and(eq(campaignImports.teamId, of.teamId), isNotNull(campaignImports.finishedAt)))
    .orderBy(desc(campaignImports.finishedAt), desc(campaignImports.number))
    .limit(1);
  const isRepeated = last?.contentHash === of.contentHash && last.jobId !== of.jobId;
  if (isRepeated && (await isAllThere(db, last))) return { number: null, earlier: resultOf(last) };
  const [row] = await db
    .insert(campaignImports)
    .values(of)
    .onConflictDoUpdate({
      target: [campaignImports.teamId, campaignImports.jobId],
      set: { contentHash: of.contentHash },
    })
    .returning({ number: campaignImports.number });
  if (!row)
    throw new AppError("internal_error", { message: "The import was not begun. Try again." });
  return { number: row.number, earlier: null };
}

/** Whether what an import stored is as it left it: no later one has begun, and none of its campaigns is deleted. */
async function isAllThere(db: TransactionContext["db"], last: ImportRow): Promise<boolean> {
  const [later] = await db
    .select({ number: campaignImports.number })
    .from(campaignImports)
    .where(and(eq(campaignImports.teamId, last.teamId), gt(campaignImports.number, last.number)))
    .limit(1);
  const [named] = await db
    .select({ campaigns: count() })
    .from(campaigns)
    .where(and(eq(campaigns.teamId, last.teamId), eq(campaigns.lastImport, last.number)));
  return later === undefined && named?.campaigns === last.campaigns;
}

function resultOf(row: ImportRow): ImportResult {
  return {
    rows: row.rows ?? 0,
    accepted: row.accepted ?? 0,
    rejected: row.rejected ?? 0,
    campaigns: row.campaigns ?? 0,
    rejected_url: row.rejectedUrl,
    unchanged: true,
  };
}

/** Writes down what came of an import. */
export async function finishImport(
  context: TransactionContext,
  number: number,
  { rows, accepted, rejected, campaigns, rejected_url: rejectedUrl }: ImportResult,
): Promise<void> {
  await context.db
    .update(campaignImports)
    .set({ rows, accepted, rejected, campaigns, rejectedUrl, finishedAt: context.now() })
    .where(eq(campaignImports.number, number));
}
