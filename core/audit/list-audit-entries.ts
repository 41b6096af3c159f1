import { and, desc, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { auditEntries } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope, teamScope } from "../kernel/principal.ts";
import { isStorableText } from "../kernel/text.ts";

const name = z.string().min(1).max(300).refine(isStorableText, "must not hold NUL");
const time = z.iso
  .datetime({ offset: true, error: "must be a time in ISO 8601 with its zone" })
  .transform((text) => new Date(text));

export const listAuditEntriesInput = z.object({
  action: name.optional().describe("Such as `key.rotate`; `key.*` is all that was done to keys"),
  actor: name.optional().describe("The id of who did it"),
  target: name.optional().describe("The id or name of the thing"),
  from: time.optional().describe("Inclusive"),
  to: time.optional().describe("Exclusive"),
});

/** An entry as the API shows it. */
export type AuditEntry = typeof auditEntries.$inferSelect;

/**
 * The audit log, the newest first: the principal's team's, or everything for super admins who name no team. Where a
 * super admin acted, from which address is shown to super admins only.
 * @throws AppError `missing_scope` without the scope `admin`, `invalid_request` for a cursor that is none
 */
export async function listAuditEntries(
  context: Context,
  filters: z.infer<typeof listAuditEntriesInput>,
  page: PageRequest,
): Promise<Page<AuditEntry>> {
  requireScope(context.principal, "admin");
  const teamId = teamScope(context.principal);
  const { actor, target, from, to } = filters;
  const rows = await context.db
    .select()
    .from(auditEntries)
    .where(
      and(
        teamId === null ? undefined : eq(auditEntries.teamId, teamId),
        actor === undefined ? undefined : eq(auditEntries.actorId, actor),
        target === undefined ? undefined : eq(auditEntries.targetId, target),
        from && gte(auditEntries.at, from),
        to && lt(auditEntries.at, to),
        actionIs(filters.action),
        after(page.cursor),
      ),
    )
    .orderBy(desc(auditEntries.at), desc(auditEntries.id))
    .limit(page.limit + 1);
  const all = context.principal.kind === "super_admin";
  return toPage(
    rows,
    page.limit,
    (row) => (all || row.actorKind !== "super_admin" ? row : { ...row, ip: null, userAgent: null }),
    (row) => [row.at.toISOString(), row.id],
  );
}

function actionIs(action: string | undefined): SQL | undefined {
  if (action === undefined) return undefined;
  if (!action.endsWith(".*")) return eq(auditEntries.action, action);
  return sql`starts_with(${auditEntries.action}, ${action.slice(0, -1)})`;
}

function after(cursor: string | undefined): SQL | undefined {
  if (cursor === undefined) return undefined;
  const [at = "", id = ""] = decodeCursor(cursor, 2).map(String);
  const time = new Date(at);
  // A cursor that is no time is past everything: an empty page, not a failure of the database.
  const moment = Number.isNaN(time.getTime()) ? new Date(0) : time;
  return sql`(${auditEntries.at}, ${auditEntries.id}) < (${moment.toISOString()}::timestamptz, ${id})`;
}
