import { and, desc, eq, lt } from "drizzle-orm";
import { members } from "#schema";
import type { Context } from "../kernel/context.ts";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope } from "../kernel/principal.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import type { Member } from "./member.ts";

/**
 * The people of a team, the newest first.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`
 */
export async function listMembers(
  context: Context,
  input: PageRequest & { teamId: string },
): Promise<Page<Member>> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const before = input.cursor === undefined ? undefined : String(decodeCursor(input.cursor, 1)[0]);
  const rows = await context.db
    .select()
    .from(members)
    .where(
      and(eq(members.teamId, teamId), before === undefined ? undefined : lt(members.id, before)),
    )
    .orderBy(desc(members.id))
    .limit(input.limit + 1);
  if (rows.length === 0) await holdTeam(context.db, teamId); // an empty team, or none
  return toPage(
    rows,
    input.limit,
    (member) => member,
    (member) => [member.id],
  );
}
