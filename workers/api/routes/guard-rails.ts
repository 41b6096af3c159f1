import { listGuardRails } from "#core/guard-rails/list-guard-rails.ts";
import { guardRail, type GuardRail, putGuardRailsInput } from "#core/guard-rails/rules.ts";
import { setGuardRails } from "#core/guard-rails/set-guard-rails.ts";
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

const params = z.object({ id: z.string().openapi({ description: "The id of the team" }) });
const EXAMPLE: z.input<typeof guardRail>[] = [
  { name: "project names", phrases: ["Project Falcon"], action: "deny" },
  { name: "personal data", pii: ["email", "phone", "card"], action: "mask" },
];
const answer = {
  200: jsonResponse("All guard rails, in their order", pageOf(guardRail)),
  ...problemResponses,
};
const common = { tags: ["Guard rails"], security };

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/teams/{id}/guard-rails",
  summary: "Read the guard rails of a team",
  description: "Needs the scope `admin`.",
  request: { params },
  responses: answer,
});

const putContract = createRoute({
  ...common,
  method: "put",
  path: "/v1/teams/{id}/guard-rails",
  summary: "Set the guard rails of a team",
  description:
    "Needs the scope `admin`. The list takes the place of the one before, and holds everywhere within a second. What is denied in a request answers 400 `content_filter`; in an answer it ends the choice with that reason. docs/guard-rails.md says what is looked at and which patterns there are.",
  request: { params, ...jsonBody(putGuardRailsInput, { rules: EXAMPLE }) },
  responses: answer,
});

const encodeList = (rules: GuardRail[]) => ({ data: rules, next_cursor: null });

export const guardRailRoutes = createRouter()
  .openapi(getContract, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(encodeList(await listGuardRails(c.get("context"), { teamId: id })), 200);
  })
  .openapi(putContract, async (c) => {
    const input = { ...c.req.valid("json"), teamId: c.req.valid("param").id };
    return c.json(encodeList(await setGuardRails(c.get("context"), input)), 200);
  });
