import { z } from "zod";
import { members } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TransactionContext } from "../kernel/context.ts";
import { newId } from "../kernel/ids.ts";
import { requireScope } from "../kernel/principal.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { requireMayAppointOwner } from "./keep-an-owner.ts";
import {
  alreadyMember,
  identityColumns,
  type Member,
  memberEmail,
  memberIdentity,
  memberName,
  memberRole,
} from "./member.ts";

export const createMemberInput = z.strictObject({
  name: memberName.describe("The person's name"),
  email: memberEmail.describe("Unique in the team; kept in lower case"),
  role: memberRole.default("member"),
  identity: memberIdentity.nullable().optional(),
});

/**
 * Adds a person to a team. Runs in the caller's transaction.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`, `forbidden` when somebody else than an owner
 * makes another owner, `conflict` when the team has the email or the identity already
 */
export async function createMember(
  context: TransactionContext,
  input: z.infer<typeof createMemberInput> & { teamId: string },
): Promise<Member> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  await holdTeam(context.db, teamId);
  const now = context.now();
  const { name, email, role, identity } = input;
  const row = {
    id: newId("member", now.getTime()),
    teamId,
    name,
    email,
    role,
    ...identityColumns(identity ?? null),
    createdAt: now,
    updatedAt: now,
  };
  const member = await changeTeam(context, teamId, async (inner) => {
    if (role === "owner") await requireMayAppointOwner(inner, teamId);
    const [added] = await inner.db
      .insert(members)
      .values(row)
      .onConflictDoNothing() // of the e-mail or of the identity
      .returning();
    if (!added) throw alreadyMember(email);
    await audit(inner, { action: "member.create", teamId, targetId: added.id, after: added });
    return added;
  });
  context.log.info("member_created", { team_id: teamId, member_id: member.id, role });
  return member;
}
