import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { members } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { isUniqueViolation } from "../kernel/postgres-errors.ts";
import { requireScope } from "../kernel/principal.ts";
import { reachTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { unlinkMember } from "../telegram/unlink-member.ts";
import { guardOwner, requireMayAppointOwner } from "./keep-an-owner.ts";
import {
  alreadyMember,
  identityColumns,
  type Member,
  memberEmail,
  memberIdentity,
  memberIdOf,
  memberName,
  type MemberReference,
  memberRole,
  noSuchMember,
} from "./member.ts";

export const updateMemberInput = z.strictObject({
  name: memberName.optional(),
  email: memberEmail.optional(),
  role: memberRole.optional(),
  identity: memberIdentity.nullable().optional(),
});

/**
 * Changes a person of a team; what the input leaves out stays. It holds everywhere within a second.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`, `forbidden` when somebody else than an owner
 * changes or makes an owner, `conflict` when another member has the email or identity, or the last owner would be none
 */
export async function updateMember(
  context: Context,
  input: z.infer<typeof updateMemberInput> & MemberReference,
): Promise<Member> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const memberId = memberIdOf(input.memberId);
  const { name, email, role, identity } = input;
  const reached = and(eq(members.id, memberId), eq(members.teamId, teamId));
  const work = changeTeam(context, teamId, async (inner) => {
    await guardOwner(inner, { teamId, memberId, loses: role !== undefined && role !== "owner" });
    if (role === "owner") await requireMayAppointOwner(inner, teamId);
    const [before] = await inner.db.select().from(members).where(reached).for("update");
    const [after] = await inner.db
      .update(members)
      .set({
        name,
        email,
        role,
        ...(identity === undefined ? {} : identityColumns(identity)),
        updatedAt: context.now(),
      })
      .where(reached)
      .returning();
    if (!before || !after) throw noSuchMember();
    await audit(inner, { action: "member.update", teamId, targetId: memberId, before, after });
    const isSame = before.issuer === after.issuer && before.subject === after.subject;
    if (!isSame) await unlinkMember(inner, memberId); // the chat of who it was
    return after;
  });
  const member = await work.catch((error: unknown) => {
    throw isUniqueViolation(error) ? alreadyMember(email) : error;
  });
  context.log.info("member_changed", { team_id: teamId, member_id: memberId, role });
  return member;
}
