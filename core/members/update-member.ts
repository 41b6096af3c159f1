import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { members } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { isUniqueViolation } from "../kernel/postgres-errors.ts";
import { requireScope } from "../kernel/principal.ts";
import { reachTeam } from "../teams/reach-team.ts";
import {
  emailTaken,
  type Member,
  memberEmail,
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
});

/**
 * Changes a person of a team; what the input leaves out stays.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`, `conflict` when another member has the email
 */
export async function updateMember(
  context: Context,
  input: z.infer<typeof updateMemberInput> & MemberReference,
): Promise<Member> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const memberId = memberIdOf(input.memberId);
  const { name, email, role } = input;
  const reached = and(eq(members.id, memberId), eq(members.teamId, teamId));
  const work = context.transaction(async (inner) => {
    const [before] = await inner.db.select().from(members).where(reached).for("update");
    const [after] = await inner.db
      .update(members)
      .set({ name, email, role, updatedAt: context.now() })
      .where(reached)
      .returning();
    if (!before || !after) throw noSuchMember();
    await audit(inner, { action: "member.update", teamId, targetId: memberId, before, after });
    return after;
  });
  const member = await work.catch((error: unknown) => {
    if (email !== undefined && isUniqueViolation(error)) throw emailTaken(email);
    throw error;
  });
  context.log.info("member_changed", { team_id: teamId, member_id: memberId, role });
  return member;
}
