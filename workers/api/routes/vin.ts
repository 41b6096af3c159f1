import { encodeVin, vinShape } from "#core/skills/vin/vin-shape.ts";
import { readVin, readVinInput } from "#core/vin/read-vin.ts";
import { readVins, readVinsInput, type VinResult } from "#core/vin/read-vins.ts";
import {
  createRoute,
  createRouter,
  jsonBody,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { vinPorts } from "../vin-ports.ts";

const vinSchema = vinShape.openapi("Vin");

const contract = createRoute({
  method: "get",
  path: "/v1/vin/{vin}",
  tags: ["VIN"],
  summary: "Read a vehicle's identification number",
  description:
    "Needs the scope `skills`. Spaces, hyphens and small letters do not matter. A wrong VIN is 422, with the VINs that it may have been in `errors[0].suggestions`; outside North America a wrong check digit is a warning only. See docs/vin.md.",
  security,
  request: {
    params: readVinInput.extend({
      vin: readVinInput.shape.vin.openapi({ example: "1HGCM82633A004352" }),
    }),
    headers: teamHeader,
  },
  responses: { 200: jsonResponse("What it says", vinSchema), ...problemResponses },
});

const wrongVinSchema = z
  .object({
    vin: z.string(),
    valid: z.literal(false),
    errors: z.array(
      z.object({ code: z.enum(["length", "characters", "check_digit"]), message: z.string() }),
    ),
    corrections: z.array(z.string()).openapi({
      description: "What it may have been meant to be, the likeliest first",
    }),
  })
  .openapi("WrongVin");

const batchContract = createRoute({
  method: "post",
  path: "/v1/vin/batch",
  tags: ["VIN"],
  summary: "Read up to 50 of them at once",
  description:
    "Needs the scope `skills`. The answers come in the order of the VINs; a wrong one has `valid: false`, its faults and the VINs that it may have been.",
  security,
  request: {
    ...jsonBody(readVinsInput, { vins: ["1HGCM82633A004352", "1HGMC82633A004352"] }),
    headers: teamHeader,
  },
  responses: {
    200: jsonResponse(
      "What they say",
      z.object({ data: z.array(z.discriminatedUnion("valid", [vinSchema, wrongVinSchema])) }),
    ),
    ...problemResponses,
  },
});

function encodeResult(result: VinResult) {
  if ("report" in result) return encodeVin(result.report, result.cached);
  const { vin, faults, corrections } = result.wrong;
  return { vin, valid: false as const, errors: faults, corrections }; // `as const` keeps what tells it from a report
}

export const vinRoutes = createRouter()
  .openapi(contract, async (c) => {
    const { report, cached } = await readVin(c.get("context"), vinPorts(c), c.req.valid("param"));
    return c.json(encodeVin(report, cached), 200);
  })
  .openapi(batchContract, async (c) => {
    const results = await readVins(c.get("context"), vinPorts(c), c.req.valid("json"));
    return c.json({ data: results.map(encodeResult) }, 200);
  });
