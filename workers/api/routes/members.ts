import { createMember, createMemberInput } from "#core/members/create-member.ts";
import { deleteMember } from "#core/members/delete-member.ts";
import { getMember } from "#core/members/get-member.ts";
import { listMembers } from "#core/members/list-members.ts";
import { type Member, memberIdentity, memberRole } from "#core/members/member.ts";
import { updateMember, updateMemberInput } from "#core/members/update-member.ts";
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

const memberSchema = z
  .object({
    id: z.string(),
    team_id: z.string(),
    name: z.string(),
    email: z
      .string()
      .nullable()
      .openapi({ description: "null where none is known, as of people who came by Telegram" }),
    role: memberRole,
    identity: memberIdentity.nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi("Member");

const encodeMember = (member: Member): z.infer<typeof memberSchema> => ({
  id: member.id,
  team_id: member.teamId,
  name: member.name,
  email: member.email,
  role: member.role,
  identity:
    member.issuer === null || member.subject === null
      ? null
      : { issuer: member.issuer, subject: member.subject },
  created_at: member.createdAt.toISOString(),
  updated_at: member.updatedAt.toISOString(),
});

const EMAIL = "parisa@example.com";
const EXAMPLE: z.infer<typeof memberSchema> = {
  id: "mem_01kajy8d5t2w7r9k3n6p1q4zvx",
  team_id: "team_01kajy7z3v8f6q2m9c4t5b1xwr",
  name: "Parisa Karimi",
  email: EMAIL,
  role: "admin",
  identity: null,
  created_at: "2026-11-21T09:30:00.000Z",
  updated_at: "2026-11-21T09:30:00.000Z",
};

const memberParams = teamParam.extend({
  member_id: z.string().openapi({ description: "The member's id", example: EXAMPLE.id }),
});

const common = {
  tags: ["Members"],
  security,
  description: "Needs the scope `admin` in the team, or a super admin.",
};

const createContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/teams/{id}/members",
  summary: "Add a person to a team",
  description: `${common.description} An email can be in a team once; a second time is 409. Owners are made by owners; the first one of a team by whoever manages it.`,
  request: {
    params: teamParam,
    headers: idempotencyHeader,
    ...jsonBody(createMemberInput, { name: EXAMPLE.name, email: EMAIL, role: "admin" }),
  },
  responses: { 201: jsonResponse("The member", memberSchema, EXAMPLE), ...problemResponses },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/teams/{id}/members",
  summary: "List a team's people",
  request: { params: teamParam, query: pageQuery },
  responses: {
    200: jsonResponse("Members, the newest first", pageOf(memberSchema), {
      data: [EXAMPLE],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/teams/{id}/members/{member_id}",
  summary: "Read a member",
  request: { params: memberParams },
  responses: { 200: jsonResponse("The member", memberSchema, EXAMPLE), ...problemResponses },
});

const updateContract = createRoute({
  ...common,
  method: "patch",
  path: "/v1/teams/{id}/members/{member_id}",
  summary: "Change a member",
  description: `${common.description} It holds within a second. Owners are changed by owners, and the last one stays one.`,
  request: { params: memberParams, ...jsonBody(updateMemberInput, { role: "viewer" }) },
  responses: {
    200: jsonResponse("The member as it is now", memberSchema, { ...EXAMPLE, role: "viewer" }),
    ...problemResponses,
  },
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: "/v1/teams/{id}/members/{member_id}",
  summary: "Remove a person from a team",
  description: `${common.description} The person's tokens open it nowhere within a second. Owners are removed by owners, and the last one stays.`,
  request: { params: memberParams },
  responses: { 204: noContent("The person is no member any more"), ...problemResponses },
});

export const memberRoutes = createRouter()
  .openapi(createContract, async (c) => {
    const input = { ...c.req.valid("json"), teamId: c.req.valid("param").id };
    const { body } = await idempotent(c, async (context) => ({
      status: 201,
      body: encodeMember(await createMember(context, input)),
    }));
    return c.json(body, 201);
  })
  .openapi(listContract, async (c) => {
    const input = { ...c.req.valid("query"), teamId: c.req.valid("param").id };
    const page = await listMembers(c.get("context"), input);
    return c.json({ data: page.items.map(encodeMember), next_cursor: page.nextCursor }, 200);
  })
  .openapi(getContract, async (c) => {
    const { id, member_id } = c.req.valid("param");
    const member = await getMember(c.get("context"), { teamId: id, memberId: member_id });
    return c.json(encodeMember(member), 200);
  })
  .openapi(updateContract, async (c) => {
    const { id, member_id } = c.req.valid("param");
    const input = { ...c.req.valid("json"), teamId: id, memberId: member_id };
    return c.json(encodeMember(await updateMember(c.get("context"), input)), 200);
  })
  .openapi(deleteContract, async (c) => {
    const { id, member_id } = c.req.valid("param");
    await deleteMember(c.get("context"), { teamId: id, memberId: member_id });
    return c.body(null, 204);
  });
