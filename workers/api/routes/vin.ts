import type { TypedResponse } from "hono";
import { encodeVin, vinShape } from "#core/skills/vin/vin-shape.ts";
import { readVin, readVinInput } from "#core/vin/read-vin.ts";
import { readVins, readVinsInput, type VinResult } from "#core/vin/read-vins.ts";
import type { VinReport } from "#core/vin/vin-report.ts";
import { vinNeed, vinWish } from "#core/vin/vin-wish.ts";
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

const wishQuery = z.object({
  need: z
    .string()
    .optional()
    .transform((text) => text?.split(",").map((name) => name.trim()))
    .pipe(z.array(vinNeed).max(vinNeed.options.length).optional())
    .openapi({
      type: "string",
      example: "drive,trim",
      description: `What must be known, by commas; services are asked for it where our own data does not know it. Of ${vinNeed.options.join(", ")}`,
    }),
  decoder: vinWish.shape.decoder.openapi({
    description: "`offline`: no service is asked",
  }),
});

const contract = createRoute({
  method: "get",
  path: "/v1/vin/{vin}",
  tags: ["VIN"],
  summary: "Read a vehicle's identification number",
  description:
    "Needs the scope `skills`. Spaces, hyphens and small letters do not matter. A wrong VIN is 422, with the VINs that it may have been in `errors[0].suggestions`; outside North America a wrong check digit is a warning only. See docs/vin.md.",
  security,
  request: {
    params: z.object({
      vin: readVinInput.shape.vin.openapi({ example: "1HGCM82633A004352" }),
    }),
    query: wishQuery,
    headers: teamHeader,
  },
  responses: { 200: jsonResponse("What it says", vinSchema), ...problemResponses },
});

/** Answers that are given again and again are written once; a report that is forgotten takes its text along. */
const cachedTexts = new WeakMap<VinReport, string>();

function cachedText(report: VinReport): string {
  const known = cachedTexts.get(report);
  if (known !== undefined) return known;
  const text = JSON.stringify(encodeVin(report, true));
  cachedTexts.set(report, text);
  return text;
}

/** An answer whose text was written before; the type says whose JSON it is. */
function jsonOf(text: string) {
  const response = new Response(text, { headers: { "content-type": "application/json" } });
  return response as Response & TypedResponse<z.output<typeof vinSchema>, 200, "json">; // written by encodeVin
}

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
    const input = { ...c.req.valid("param"), ...c.req.valid("query") };
    const { report, cached } = await readVin(c.get("context"), vinPorts(c), input);
    return cached ? jsonOf(cachedText(report)) : c.json(encodeVin(report, false), 200);
  })
  .openapi(batchContract, async (c) => {
    const results = await readVins(c.get("context"), vinPorts(c), c.req.valid("json"));
    return c.json({ data: results.map(encodeResult) }, 200);
  });
