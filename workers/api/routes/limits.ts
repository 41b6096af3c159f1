import { putLimitsInput } from "#core/limits/limit-input.ts";
import { listLimitUsage, listLimitUsageInput } from "#core/limits/list-limit-usage.ts";
import { listKeyLimits, listTeamLimits } from "#core/limits/list-limits.ts";
import { setKeyLimits, setTeamLimits } from "#core/limits/set-limits.ts";
import { requireTeam } from "#core/kernel/principal.ts";
import { encodeLimit, encodeLimitUsage, limitSchema, limitUsageSchema } from "../limit-shape.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const EXAMPLE: z.infer<typeof limitSchema> = {
  id: "lim_01kajyb2m4d6f8h0j1k3n5p7q9",
  unit: "requests",
  window: "minute",
  max: 100,
  model: null,
  end_user: null,
  soft: false,
  on_error: "open",
  raise: null,
  created_at: "2026-11-21T09:30:00.000Z",
  updated_at: "2026-11-21T09:30:00.000Z",
};
const params = z.object({ id: z.string().openapi({ description: "The id of the team or key" }) });
const listSchema = pageOf(limitSchema);
const answer = {
  200: jsonResponse("All limits, in the order in which they were set", listSchema, {
    data: [EXAMPLE],
    next_cursor: null,
  }),
  ...problemResponses,
};
const body = jsonBody(putLimitsInput, {
  limits: [
    { unit: "requests", window: "minute", max: 100 },
    { unit: "usd", window: "month", max: "25.00" },
  ],
});
const common = { tags: ["Limits"], security };
const REPLACES =
  "The list takes the place of the one before. A limit of the same unit, window, model and end user keeps its id and what was used of it. It holds everywhere within a second.";

const getTeamContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/teams/{id}/limits",
  summary: "Read the limits of a team",
  description: "Needs the scope `admin`.",
  request: { params },
  responses: answer,
});

const putTeamContract = createRoute({
  ...common,
  method: "put",
  path: "/v1/teams/{id}/limits",
  summary: "Set the limits of a team (super admin)",
  description: `${REPLACES} Prepaid credits are no part of it.`,
  request: { params, ...body },
  responses: answer,
});

const getKeyContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/keys/{id}/limits",
  summary: "Read the limits of a key",
  description: "Needs the scope `admin`.",
  request: { params },
  responses: answer,
});

const putKeyContract = createRoute({
  ...common,
  method: "put",
  path: "/v1/keys/{id}/limits",
  summary: "Set the limits of a key",
  description: `Needs the scope \`admin\`. ${REPLACES} A key that has limits itself cannot loosen them, nor give looser ones.`,
  request: { params, ...body },
  responses: answer,
});

const getUsageContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/limits",
  summary: "Your limits, with what is used of them",
  description:
    "The limits of the key that asks, and of its team; with the scope `admin` those of all keys and of the fullest hundred end users, too. What is used is exact as of the last second.",
  request: {
    headers: teamHeader,
    query: pageQuery.extend({
      end_user: listLimitUsageInput.shape.end_user.openapi({
        description: "Shows this end user's part of limits that count each apart",
      }),
    }),
  },
  responses: {
    200: jsonResponse("Limits, in the order in which they were set", pageOf(limitUsageSchema), {
      data: [
        {
          id: "lim_01kajyb2m4d6f8h0j1k3n5p7q9",
          owner: "key_01kajyb2m4d6f8h0j1k3n5p7q9",
          unit: "usd",
          window: "month",
          model: null,
          end_user: null,
          soft: false,
          on_error: "closed",
          prepaid: false,
          raise: null,
          max: "25.00",
          used: "1.25",
          reserved: "0.00",
          remaining: "23.75",
          resets_at: "2026-12-01T00:00:00.000Z",
        },
      ],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const encodeList = (limits: Parameters<typeof encodeLimit>[0][]) => ({
  data: limits.map(encodeLimit),
  next_cursor: null,
});

export const limitRoutes = createRouter()
  .openapi(getUsageContract, async (c) => {
    const { meter } = c.get("deps");
    const page = await listLimitUsage(c.get("context"), c.req.valid("query"), meter.usageOfLimits);
    const teamId = requireTeam(c.get("principal"));
    const data = page.items.map((usage) => encodeLimitUsage(teamId, usage));
    return c.json({ data, next_cursor: page.nextCursor }, 200);
  })
  .openapi(getTeamContract, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(encodeList(await listTeamLimits(c.get("context"), { teamId: id })), 200);
  })
  .openapi(putTeamContract, async (c) => {
    const input = { ...c.req.valid("json"), teamId: c.req.valid("param").id };
    return c.json(encodeList(await setTeamLimits(c.get("context"), input)), 200);
  })
  .openapi(getKeyContract, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(encodeList(await listKeyLimits(c.get("context"), { keyId: id })), 200);
  })
  .openapi(putKeyContract, async (c) => {
    const input = { ...c.req.valid("json"), keyId: c.req.valid("param").id };
    return c.json(encodeList(await setKeyLimits(c.get("context"), input)), 200);
  });
