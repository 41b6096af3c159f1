import { eq } from "drizzle-orm";
import { invitations } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { reachTeam } from "../teams/reach-team.ts";
import { byId, noSuchInvitation } from "./invitation.ts";

/**
 * Ends an invitation: its link lets nobody in from now on. Whom it has let in stays. Revoking it again changes nothing.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`
 */
export async function revokeInvitation(
  context: Context,
  input: { teamId: string; invitationId: string },
): Promise<void> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const named = byId(teamId, input.invitationId);
  await context.transaction(async (inner) => {
    const [before] = await inner.db.select().from(invitations).where(named).for("update");
    if (!before) throw noSuchInvitation();
    if (before.revokedAt !== null) return;
    const [after] = await inner.db
      .update(invitations)
      .set({ revokedAt: inner.now() })
      .where(eq(invitations.id, before.id))
      .returning();
    if (!after) throw noSuchInvitation();
    const change = { teamId, targetId: before.id, before, after };
    await audit(inner, { action: "invitation.revoke", ...change });
  });
  context.log.info("invitation_revoked", { team_id: teamId, invitation_id: input.invitationId });
}
