import { z } from "zod";
import { invitations } from "#schema";
import { actorOf } from "../audit/actor.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import type { Person } from "../members/person.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { type Admission, admitPerson } from "./admit-person.ts";
import { byToken, isInvitationToken, unknownToken } from "./invitation.ts";

export const acceptInvitationInput = z.strictObject({
  token: z.string().max(200).describe("The link's secret, `inv_…`, or the whole link"),
});

/**
 * Joins the team of an invitation. The person needs no team for it; their token opens the new one within a second.
 * @param input `person` is who a verified token says that it is; `among` are the teams that people of its issuer can be
 * members of, null for all
 * @throws AppError `not_found` for a secret that is none, `forbidden` for a team that is not among those, and what
 * admitPerson throws
 */
export async function acceptInvitation(
  context: Context,
  input: z.infer<typeof acceptInvitationInput> & {
    person: Person;
    among: readonly string[] | null;
  },
): Promise<Admission> {
  const { person, among } = input;
  const token = input.token.trim().split("/").at(-1) ?? "";
  if (!isInvitationToken(token)) throw unknownToken();
  const invitation = await byToken(token);
  const [found] = await context.db
    .select({ teamId: invitations.teamId })
    .from(invitations)
    .where(invitation);
  if (!found) throw unknownToken();
  const { teamId } = found;
  if (among !== null && !among.includes(teamId))
    throw new AppError("forbidden", {
      message: "People of your token's issuer cannot be members of this team. Sign in elsewhere.",
    });
  const actor = actorOf(context.principal);
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
