import { getSwitches } from "#core/switches/get-switches.ts";
import { putSwitches, putSwitchesInput } from "#core/switches/put-switches.ts";
import type { Switches } from "#core/switches/switches.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  problemResponses,
  security,
  z,
} from "../openapi.ts";

const switchesSchema = z
  .object({
    bot: z.enum(["on", "off"]),
    writes: z.enum(["on", "off"]),
    providers_off: z.array(z.string()),
    teams_off: z.array(z.string()),
    version: z.number().int(),
    updated_at: z.string(),
  })
  .openapi("Switches");

const encode = (switches: Switches): z.infer<typeof switchesSchema> => ({
  bot: switches.botOffAt === null ? "on" : "off",
  writes: switches.writesOff ? "off" : "on",
  providers_off: switches.providersOff,
  teams_off: switches.teamsOff,
  version: switches.version,
  updated_at: switches.updatedAt.toISOString(),
});

const path = "/v1/admin/switches";
const common = { path, tags: ["Admin"], security };
const responses = { 200: jsonResponse("What is off", switchesSchema), ...problemResponses };

const getContract = createRoute({
  ...common,
  method: "get",
  summary: "What is switched off (super admin)",
  responses,
});

const putContract = createRoute({
  ...common,
  method: "put",
  summary: "Switch something off or on (super admin)",
  description:
    "What is left out stays as it is. It holds in every isolate within a second of the answer, also with the cache down.",
  request: jsonBody(putSwitchesInput, { providers: { openai: "off" }, reason: "Leaked key" }),
  responses,
});

export const switchRoutes = createRouter()
  .openapi(getContract, async (c) => c.json(encode(await getSwitches(c.get("context"))), 200))
  .openapi(putContract, async (c) =>
    c.json(encode(await putSwitches(c.get("context"), c.req.valid("json"))), 200),
  );
