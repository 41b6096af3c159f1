import { and, desc, eq, lt } from "drizzle-orm";
import { invitations } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope } from "../kernel/principal.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import { type Invitation, toInvitation } from "./invitation.ts";

/**
 * The invitations of a team, the newest first, those that have ended too.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`
 */
export async function listInvitations(
  context: Context,
  input: PageRequest & { teamId: string },
): Promise<Page<Invitation>> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const before = input.cursor === undefined ? undefined : String(decodeCursor(input.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(invitations)
    .where(
      and(
        eq(invitations.teamId, teamId),
        before === undefined ? undefined : lt(invitations.id, before),
      ),
    )
    .orderBy(desc(invitations.id))
    .limit(input.limit + 1);
  if (rows.length === 0) await holdTeam(context.db, teamId); // a team without any, or none
  const now = context.now();
  return toPage(
    rows,
    input.limit,
    (row) => toInvitation(row, now),
    (row) => [row.id],
  );
}
