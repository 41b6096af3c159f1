import { createInvitation, createInvitationInput } from "#core/invitations/create-invitation.ts";
import type { Invitation } from "#core/invitations/invitation.ts";
import { listInvitations } from "#core/invitations/list-invitations.ts";
import { revokeInvitation } from "#core/invitations/revoke-invitation.ts";
import { memberRole } from "#core/members/member.ts";
import { publicOrigin } from "../public-origin.ts";
import { emptyBodyAsObject } from "../middleware/empty-body.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  jsonBody,
  jsonResponse,
  noContent,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  z,
} from "../openapi.ts";
import { teamParam } from "./teams.ts";

const invitationSchema = z
  .object({
    id: z.string(),
    team_id: z.string(),
    role: memberRole,
    email: z.string().nullable(),
    name: z.string().nullable(),
    state: z.enum(["open", "used", "expired", "revoked"]),
    uses: z.number().int(),
    used: z.number().int(),
    expires_at: z.string(),
    revoked_at: z.string().nullable(),
    created_by: z.string(),
    created_at: z.string(),
  })
  .openapi("Invitation");

const issuedSchema = invitationSchema
  .extend({
    token: z.string().openapi({ description: "The link's secret. It is shown this once only" }),
    url: z.string().openapi({ description: "The link, to be opened in a browser" }),
    telegram_command: z
      .string()
      .openapi({ description: "What to send to the bot in a private chat; also `?start=<token>`" }),
  })
  .openapi("IssuedInvitation");

const encode = (invitation: Invitation): z.infer<typeof invitationSchema> => ({
  id: invitation.id,
  team_id: invitation.teamId,
  role: invitation.role,
  email: invitation.email,
  name: invitation.name,
  state: invitation.state,
  uses: invitation.uses,
  used: invitation.used,
  expires_at: invitation.expiresAt.toISOString(),
  revoked_at: invitation.revokedAt?.toISOString() ?? null,
  created_by: invitation.createdBy,
  created_at: invitation.createdAt.toISOString(),
});

const EXAMPLE: z.infer<typeof invitationSchema> = {
  id: "ivt_01kajya6h8k0m2p4r6t8v1x3zb",
  team_id: "team_01kajy7z3v8f6q2m9c4t5b1xwr",
  role: "member",
  email: null,
  name: null,
  state: "open",
  uses: 1,
  used: 0,
  expires_at: "2026-11-28T09:30:00.000Z",
  revoked_at: null,
  created_by: "key:key_01kajy8f2w5t7r9q3n6m1k4xzv",
  created_at: "2026-11-21T09:30:00.000Z",
};
const TOKEN = "inv_4k7n2p9qzvx8d5t3w6r1m0abc2e5g8hj";
const ISSUED = {
  ...EXAMPLE,
  token: TOKEN,
  url: `https://api.example.com/join/${TOKEN}`,
  telegram_command: `/start ${TOKEN}`,
};

const common = { tags: ["Members"], security, description: "Needs the scope `admin`." };
const path = "/v1/teams/{id}/invitations";

const createContract = createRoute({
  ...common,
  method: "post",
  path,
  middleware: emptyBodyAsObject,
  summary: "Make a link by which people join a team",
  description: `${common.description} The link is in this answer only. Nobody invites above their own role: keys and admins invite up to admins.`,
  request: {
    params: teamParam,
    headers: idempotencyHeader,
    ...jsonBody(createInvitationInput, { role: "member", expires_in_seconds: 604_800 }),
  },
  responses: {
    201: jsonResponse("The invitation with its link", issuedSchema, ISSUED),
    ...problemResponses,
  },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path,
  summary: "List a team's invitations",
  description: `${common.description} Those that ended are among them, for 90 days.`,
  request: { params: teamParam, query: pageQuery },
  responses: {
    200: jsonResponse("Invitations, the newest first", pageOf(invitationSchema), {
      data: [EXAMPLE],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const revokeContract = createRoute({
  ...common,
  method: "delete",
  path: `${path}/{invitation_id}`,
  summary: "Revoke an invitation",
  description: `${common.description} Its link lets nobody in from now on; whom it has let in stays.`,
  request: {
    params: teamParam.extend({
      invitation_id: z
        .string()
        .openapi({ description: "The invitation's id", example: EXAMPLE.id }),
    }),
  },
  responses: { 204: noContent("The invitation is revoked"), ...problemResponses },
});

export const invitationRoutes = createRouter()
  .openapi(createContract, async (c) => {
    const input = { ...c.req.valid("json"), teamId: c.req.valid("param").id };
    const origin = publicOrigin(c);
    const { body } = await idempotent(c, async (context) => {
      const { invitation, token } = await createInvitation(context, input);
      const link = { token, url: `${origin}/join/${token}`, telegram_command: `/start ${token}` };
      return { status: 201, body: { ...encode(invitation), ...link } };
    });
    return c.json(body, 201);
  })
  .openapi(listContract, async (c) => {
    const input = { ...c.req.valid("query"), teamId: c.req.valid("param").id };
    const page = await listInvitations(c.get("context"), input);
    return c.json({ data: page.items.map(encode), next_cursor: page.nextCursor }, 200);
  })
  .openapi(revokeContract, async (c) => {
    const { id, invitation_id } = c.req.valid("param");
    await revokeInvitation(c.get("context"), { teamId: id, invitationId: invitation_id });
    return c.body(null, 204);
  });
