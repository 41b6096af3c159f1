import { putLimitsInput } from "#core/limits/limit-input.ts";
import { listKeyLimits, listTeamLimits } from "#core/limits/list-limits.ts";
import { setKeyLimits, setTeamLimits } from "#core/limits/set-limits.ts";
import { encodeLimit, limitSchema } from "../limit-shape.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  pageOf,
  problemResponses,
  security,
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

const encodeList = (limits: Parameters<typeof encodeLimit>[0][]) => ({
  data: limits.map(encodeLimit),
  next_cursor: null,
});

export const limitRoutes = createRouter()
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
