import { z } from "zod";
import { invitations } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TransactionContext } from "../kernel/context.ts";
import { sha256Hex } from "../kernel/digest.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { actorName, requireScope } from "../kernel/principal.ts";
import { memberEmail, memberName, memberRole } from "../members/member.ts";
import { highestGivenRole, isAtLeast } from "../members/role-rank.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import { type Invitation, newInvitationToken, toInvitation } from "./invitation.ts";

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
/** People that one link can let in. */
const MOST_USES = 1_000;

export const createInvitationInput = z
  .strictObject({
    role: memberRole.default("member").describe("What whoever follows the link becomes"),
    email: memberEmail
      .nullable()
      .default(null)
      .describe(
        "Lets in only a token with this verified e-mail; null lets in whoever has the link",
      ),
    name: memberName
      .nullable()
      .default(null)
      .describe("What the member is called; null leaves it to their token"),
    expires_in_seconds: z
      .number()
      .int()
      .min(MINUTE)
      .max(90 * DAY)
      .default(7 * DAY)
      .describe("How long the link works; a week by default, 90 days at most"),
    uses: z.number().int().min(1).max(MOST_USES).default(1).describe("How many people it lets in"),
  })
  .refine((input) => input.uses === 1 || (input.email === null && input.name === null), {
    path: ["uses"],
    message: "must be 1 where the invitation is for one person, by email or name",
  });

/** An invitation and the secret of its link, at the one moment when it can be told. */
export interface IssuedInvitation {
  invitation: Invitation;
  token: string;
}

/**
 * Makes a link by which people join a team. Runs in the caller's transaction.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`, `forbidden` for a role above one's own: keys
 * and admins invite up to admins
 */
export async function createInvitation(
  context: TransactionContext,
  input: z.infer<typeof createInvitationInput> & { teamId: string },
): Promise<IssuedInvitation> {
  const { principal } = context;
  requireScope(principal, "admin");
  const teamId = reachTeam(principal, input.teamId);
  const { role, email, name, uses } = input;
  if (!isAtLeast(highestGivenRole(principal), role))
    throw new AppError("forbidden", {
      message: `Nobody invites above their own role: only an owner of the team or a super admin invites an ${role}.`,
    });
  await holdTeam(context.db, teamId);
  const now = context.now();
  const token = newInvitationToken();
  const [row] = await context.db
    .insert(invitations)
    .values({
      id: newId("invitation", now.getTime()),
      teamId,
      tokenHash: await sha256Hex(token),
      role,
      email,
      name,
      uses,
      expiresAt: new Date(now.getTime() + input.expires_in_seconds * 1000),
      createdBy: actorName(principal),
      createdAt: now,
    })
    .returning();
  if (!row)
    throw new AppError("internal_error", { message: "The invitation was not stored. Try again." });
  await audit(context, { action: "invitation.create", teamId, targetId: row.id, after: row });
  context.log.info("invitation_created", { team_id: teamId, invitation_id: row.id, role });
  return { invitation: toInvitation(row, now), token };
}
