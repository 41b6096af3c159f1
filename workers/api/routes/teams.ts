import { createTeam, createTeamInput } from "#core/teams/create-team.ts";
import { listTeams } from "#core/teams/list-teams.ts";
import type { Team } from "#core/teams/team.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  limitSchema,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  z,
} from "../openapi.ts";

const teamSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    created_at: z.string(),
    limits: z.array(limitSchema),
  })
  .openapi("Team");

const encodeTeam = (team: Team): z.infer<typeof teamSchema> => ({
  id: team.id,
  name: team.name,
  created_at: team.createdAt.toISOString(),
  limits: [],
});

const createRouteContract = createRoute({
  method: "post",
  path: "/v1/teams",
  tags: ["Teams"],
  summary: "Create a team (super admin)",
  security,
  request: jsonBody(createTeamInput),
  responses: { 201: jsonResponse("The team", teamSchema), ...problemResponses },
});

const listRouteContract = createRoute({
  method: "get",
  path: "/v1/teams",
  tags: ["Teams"],
  summary: "List the teams that you can see",
  security,
  request: { query: pageQuery },
  responses: {
    200: jsonResponse("Teams, the newest first", pageOf(teamSchema)),
    ...problemResponses,
  },
});

export const teamRoutes = createRouter()
  .openapi(createRouteContract, async (c) => {
    const input = c.req.valid("json");
    const { body } = await idempotent(c, async (context) => ({
      status: 201,
      body: encodeTeam(await createTeam(context, input)),
    }));
    return c.json(body, 201);
  })
  .openapi(listRouteContract, async (c) => {
    const page = await listTeams(c.get("context"), c.req.valid("query"));
    return c.json({ data: page.items.map(encodeTeam), next_cursor: page.nextCursor }, 200);
  });
