import { acceptInvitation, acceptInvitationInput } from "#core/invitations/accept-invitation.ts";
import type { Admission } from "#core/invitations/admit-person.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { VerifiedToken } from "#core/identity/verify-token.ts";
import { memberRole } from "#core/members/member.ts";
import type { AppContext } from "../app-types.ts";
import { tooManyAttempts } from "../failed-attempts.ts";
import { countedAs } from "../middleware/authenticate.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  problemResponses,
  z,
} from "../openapi.ts";

const acceptedSchema = z
  .object({
    team: z.object({ id: z.string(), name: z.string() }),
    member_id: z.string(),
    role: memberRole,
    changed: z
      .boolean()
      .openapi({ description: "false for who was in the team already with as much of a role" }),
  })
  .openapi("AcceptedInvitation");

const acceptContract = createRoute({
  method: "post",
  path: "/v1/invitations/accept",
  tags: ["Members"],
  security: [{ bearer: [] }],
  summary: "Join a team by an invitation",
  description:
    "Takes an access token of one of OIDC_ISSUERS, whose bearer need not be in any team yet. Accepting again gives the same answer. From then on `x-team-id` chooses among the teams.",
  request: jsonBody(acceptInvitationInput, { token: "inv_4k7n2p9qzvx8d5t3w6r1m0abc2e5g8hj" }),
  responses: {
    200: jsonResponse("The membership", acceptedSchema, {
      team: { id: "team_01kajy7z3v8f6q2m9c4t5b1xwr", name: "Acme" },
      member_id: "mem_01kajy8d5t2w7r9k3n6p1q4zvx",
      role: "member",
      changed: true,
    }),
    ...problemResponses,
  },
});

type Membership = NonNullable<VerifiedToken["membership"]>;

/** The bearer of a token whose issuer's people can be members. @throws AppError `forbidden` */
function joiningBearer(c: AppContext): VerifiedToken & { membership: Membership } {
  const bearer = c.get("bearer");
  if (!bearer)
    throw new AppError("forbidden", {
      message:
        "An invitation is accepted by a person: send an access token of their account, not an API key.",
    });
  const { membership } = bearer;
  if (membership !== null) return { ...bearer, membership };
  throw new AppError("forbidden", {
    message:
      "Which teams your token opens is said by its issuer here, and not by memberships. Ask whoever runs the issuer.",
  });
}

/** Counts wrong secrets by address, as it is done with wrong keys. */
async function countingGuesses(c: AppContext, work: () => Promise<Admission>): Promise<Admission> {
  const { failedAttempts } = c.get("deps");
  const address = countedAs(c);
  if (failedAttempts.isFlooding(address, Date.now())) throw tooManyAttempts();
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "not_found")
      await failedAttempts.count(address, Date.now());
    throw thrown;
  }
}

export const acceptInvitationRoutes = createRouter().openapi(acceptContract, async (c) => {
  const { issuer, subject, email, membership } = joiningBearer(c);
  const { token } = c.req.valid("json");
  const input = { token, person: { issuer, subject, email, name: null }, among: membership.teams };
  const accepted = await countingGuesses(c, () => acceptInvitation(c.get("context"), input));
  const { teamId, teamName, member, changed } = accepted;
  const team = { id: teamId, name: teamName };
  return c.json({ team, member_id: member.id, role: member.role, changed }, 200);
});
