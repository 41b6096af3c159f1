import { z } from "zod";
import { members } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TransactionContext } from "../kernel/context.ts";
import { newId } from "../kernel/ids.ts";
import { requireScope } from "../kernel/principal.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import { emailTaken, type Member, memberEmail, memberName, memberRole } from "./member.ts";

export const createMemberInput = z.strictObject({
  name: memberName.describe("The person's name"),
  email: memberEmail.describe("Unique in the team; kept in lower case"),
  role: memberRole.default("member"),
});

/**
 * Adds a person to a team. Runs in the caller's transaction.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`, `conflict` when the team has the email already
 */
export async function createMember(
  context: TransactionContext,
  input: z.infer<typeof createMemberInput> & { teamId: string },
): Promise<Member> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  await holdTeam(context.db, teamId);
  const now = context.now();
  const { name, email, role } = input;
  const [member] = await context.db
    .insert(members)
    .values({
      id: newId("member", now.getTime()),
      teamId,
      name,
      email,
      role,
      createdAt: now,
      updatedAt: now,
    })
    .onConflictDoNothing({ target: [members.teamId, members.email] })
    .returning();
  if (!member) throw emailTaken(email);
  await audit(context, { action: "member.create", teamId, targetId: member.id, after: member });
  context.log.info("member_created", { team_id: teamId, member_id: member.id, role });
  return member;
}
