import { eq } from "drizzle-orm";
import { invitations, teams } from "#schema";
import type { Context } from "../kernel/context.ts";
import type { Role } from "../kernel/permissions.ts";
import { byToken, type InvitationState, isInvitationToken, stateOf } from "./invitation.ts";

/** What whoever has a link may know before they accept. */
export interface InvitationPreview {
  teamName: string;
  role: Role;
  state: InvitationState;
  expiresAt: Date;
  /** Whether it is for one e-mail, which is not told. */
  personal: boolean;
}

/** What a link's secret opens; null where it opens nothing. Changes nothing, so that previews of links do no harm. */
export async function previewInvitation(
  context: Pick<Context, "db" | "now">,
  token: string,
): Promise<InvitationPreview | null> {
  if (!isInvitationToken(token)) return null;
  const [found] = await context.db
    .select({ invitation: invitations, teamName: teams.name })
    .from(invitations)
    .innerJoin(teams, eq(teams.id, invitations.teamId))
    .where(await byToken(token));
  if (!found) return null;
  const { invitation, teamName } = found;
  const { role, expiresAt, email } = invitation;
  const state = stateOf(invitation, context.now());
  return { teamName, role, state, expiresAt, personal: email !== null };
}
