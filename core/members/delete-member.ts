import { and, eq } from "drizzle-orm";
import { members } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { reachTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { guardOwner } from "./keep-an-owner.ts";
import { memberIdOf, type MemberReference, noSuchMember } from "./member.ts";

/**
 * Removes a person from a team; their tokens open it nowhere within a second.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`, `forbidden` when an owner is removed by
 * somebody else than an owner, `conflict` when it is the last owner
 */
export async function deleteMember(context: Context, input: MemberReference): Promise<void> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const memberId = memberIdOf(input.memberId);
  await changeTeam(context, teamId, async (inner) => {
    await guardOwner(inner, { teamId, memberId, loses: true });
    const [before] = await inner.db
      .delete(members)
      .where(and(eq(members.id, memberId), eq(members.teamId, teamId)))
      .returning();
    if (!before) throw noSuchMember();
    await audit(inner, { action: "member.delete", teamId, targetId: memberId, before });
  });
  context.log.info("member_deleted", { team_id: teamId, member_id: memberId });
}
