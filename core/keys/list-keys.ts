import { and, desc, eq, lt } from "drizzle-orm";
import { z } from "zod";
import { apiKeys } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope, teamScope } from "../kernel/principal.ts";
import { isStorableText } from "../kernel/text.ts";
import { withKeyLimits } from "../limits/read-limits.ts";
import { type ApiKey, toApiKey } from "./key.ts";

/** Who made a key, as actorName writes it: what to look through when somebody is to leave nothing behind. */
export const createdByFilter = z
  .string()
  .min(1)
  .max(1_000)
  .refine(isStorableText, "must not hold NUL")
  .optional();

/**
 * The keys of the principal's team, the newest first, revoked ones too; those of all teams for a super admin who names none.
 * @throws AppError `missing_scope` without the scope `admin`
 */
export async function listKeys(
  context: Context,
  page: PageRequest & { created_by?: string | undefined },
): Promise<Page<ApiKey>> {
  requireScope(context.principal, "admin");
  const own = teamScope(context.principal);
  const before = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(apiKeys)
    .where(
      and(
        own === null ? undefined : eq(apiKeys.teamId, own),
        before === undefined ? undefined : lt(apiKeys.id, before),
        page.created_by === undefined ? undefined : eq(apiKeys.createdBy, page.created_by),
      ),
    )
    .orderBy(desc(apiKeys.id))
    .limit(page.limit + 1);
  const { items, nextCursor } = toPage(
    rows,
    page.limit,
    (row) => toApiKey(row, []),
    (row) => [row.id],
  );
  return { items: await withKeyLimits(context.db, items), nextCursor };
}
