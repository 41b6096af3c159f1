import { hasScope, type Principal } from "#core/kernel/principal.ts";
import { createTeam, createTeamInput } from "#core/teams/create-team.ts";
import { deleteTeam } from "#core/teams/delete-team.ts";
import { getTeam } from "#core/teams/get-team.ts";
import { listTeams } from "#core/teams/list-teams.ts";
import type { Team } from "#core/teams/team.ts";
import { updateTeam, updateTeamInput } from "#core/teams/update-team.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  ipRulesSchema,
  jsonBody,
  jsonResponse,
  noContent,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  z,
} from "../openapi.ts";
import { encodeLimit, limitSchema } from "../limit-shape.ts";

const teamSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    limits: z.array(limitSchema),
    ip_rules: ipRulesSchema.optional().openapi({ description: "For those who manage the team" }),
    allowed_origins: z.array(z.string()).optional(),
    max_body_bytes: z.number().nullable().optional(),
  })
  .openapi("Team");

const encodeTeam = (team: Team, principal: Principal): z.infer<typeof teamSchema> => ({
  id: team.id,
  name: team.name,
  created_at: team.createdAt.toISOString(),
  updated_at: team.updatedAt.toISOString(),
  limits: team.limits.map(encodeLimit),
  ...(hasScope(principal, "admin")
    ? {
        ip_rules: { allow: team.ipAllow, deny: team.ipDeny },
        allowed_origins: team.allowedOrigins,
        max_body_bytes: team.maxBodyBytes,
      }
    : {}),
});

const EXAMPLE: z.infer<typeof teamSchema> = {
  id: "team_01kajy7z3v8f6q2m9c4t5b1xwr",
  name: "Acme",
  created_at: "2026-11-21T09:30:00.000Z",
  updated_at: "2026-11-21T09:30:00.000Z",
  limits: [],
  ip_rules: { allow: ["203.0.113.0/24"], deny: [] },
  allowed_origins: ["https://app.example.com"],
  max_body_bytes: null,
};

/** The team's id in a path. */
export const teamParam = z.object({
  id: z.string().openapi({ description: "The team's id", example: EXAMPLE.id }),
});

const common = { tags: ["Teams"], security };

const createContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/teams",
  summary: "Create a team (super admin)",
  request: { headers: idempotencyHeader, ...jsonBody(createTeamInput, { name: "Acme" }) },
  responses: { 201: jsonResponse("The team", teamSchema, EXAMPLE), ...problemResponses },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/teams",
  summary: "List the teams that you can see",
  description: "Super admins see all teams, every other key its own.",
  request: { query: pageQuery },
  responses: {
    200: jsonResponse("Teams, the newest first", pageOf(teamSchema), {
      data: [EXAMPLE],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/teams/{id}",
  summary: "Read a team",
  request: { params: teamParam },
  responses: { 200: jsonResponse("The team", teamSchema, EXAMPLE), ...problemResponses },
});

const updateContract = createRoute({
  ...common,
  method: "patch",
  path: "/v1/teams/{id}",
  summary: "Change a team",
  description:
    "Needs the scope `admin`. What is left out stays; rules hold everywhere within a second. `ip_rules` that would shut out the caller's own address are refused, unless `force` is sent with them.",
  request: {
    params: teamParam,
    ...jsonBody(updateTeamInput, {
      name: "Acme Europe",
      ip_rules: { allow: ["203.0.113.0/24"] },
    }),
  },
  responses: {
    200: jsonResponse("The team as it is now", teamSchema, { ...EXAMPLE, name: "Acme Europe" }),
    ...problemResponses,
  },
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: "/v1/teams/{id}",
  summary: "Delete a team (its owner, super admin)",
  description:
    "Erases the team with its keys, members and Telegram links. Its keys work nowhere within a second. Usage records stay.",
  request: { params: teamParam },
  responses: { 204: noContent("It is gone"), ...problemResponses },
});

export const teamRoutes = createRouter()
  .openapi(createContract, async (c) => {
    const input = c.req.valid("json");
    const { body } = await idempotent(c, async (context) => ({
      status: 201,
      body: encodeTeam(await createTeam(context, input), context.principal),
    }));
    return c.json(body, 201);
  })
  .openapi(listContract, async (c) => {
    const context = c.get("context");
    const page = await listTeams(context, c.req.valid("query"));
    const data = page.items.map((team) => encodeTeam(team, context.principal));
    return c.json({ data, next_cursor: page.nextCursor }, 200);
  })
  .openapi(getContract, async (c) => {
    const { id } = c.req.valid("param");
    const context = c.get("context");
    return c.json(encodeTeam(await getTeam(context, { teamId: id }), context.principal), 200);
  })
  .openapi(updateContract, async (c) => {
    const input = { ...c.req.valid("json"), teamId: c.req.valid("param").id };
    const context = c.get("context");
    return c.json(encodeTeam(await updateTeam(context, input), context.principal), 200);
  })
  .openapi(deleteContract, async (c) => {
    await deleteTeam(c.get("context"), { teamId: c.req.valid("param").id });
    return c.body(null, 204);
  });
