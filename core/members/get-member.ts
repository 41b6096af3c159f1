import { and, eq } from "drizzle-orm";
import { members } from "#schema";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { reachTeam } from "../teams/reach-team.ts";
import { type Member, memberIdOf, type MemberReference, noSuchMember } from "./member.ts";

/**
 * Reads a person of a team.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`
 */
export async function getMember(context: Context, input: MemberReference): Promise<Member> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const memberId = memberIdOf(input.memberId);
  const [member] = await context.db
    .select()
    .from(members)
    .where(and(eq(members.id, memberId), eq(members.teamId, teamId)));
  if (!member) throw noSuchMember();
  return member;
}
