import { z } from "zod";
import { invitations } from "#schema";
import type { Context } from "../kernel/context.ts";
import type { Person } from "../members/person.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { type Admission, admitPerson } from "./admit-person.ts";
import { byToken, isInvitationToken, unknownToken } from "./invitation.ts";

export const acceptInvitationInput = z.strictObject({
  token: z.string().max(200).describe("The link's secret, `inv_…`, or the whole link"),
});

/**
 * Joins the team of an invitation. The person needs no team for it; their token opens the new one within a second.
 * @param input `person` is who a verified token says that it is
 * @throws AppError `not_found` for a secret that is none, and what admitPerson throws
 */
export async function acceptInvitation(
  context: Context,
  input: z.infer<typeof acceptInvitationInput> & { person: Person },
): Promise<Admission> {
  const { person } = input;
  const token = input.token.trim().split("/").at(-1) ?? "";
  if (!isInvitationToken(token)) throw unknownToken();
  const invitation = await byToken(token);
  const [found] = await context.db
    .select({ teamId: invitations.teamId })
    .from(invitations)
    .where(invitation);
  if (!found) throw unknownToken();
  const { teamId } = found;
  const actor = {
    kind: "token",
    id: `${person.issuer} ${person.subject}`,
    user: person.subject,
  } as const;
  const admission = await context.transaction(async (inner) => {
    const admitted = await admitPerson(inner, { invitation, teamId, person, actor });
    if (admitted.changed) await changeTeam(inner, teamId, () => Promise.resolve());
    return admitted;
  });
  context.log.info("invitation_accepted", {
    team_id: teamId,
    member_id: admission.member.id,
    changed: admission.changed,
  });
  return admission;
}
