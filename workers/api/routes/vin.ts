import { readVin, readVinInput } from "#core/vin/read-vin.ts";
import { readVins, readVinsInput, type VinResult } from "#core/vin/read-vins.ts";
import type { VinReport } from "#core/vin/vin-report.ts";
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

const text = z.string().nullable();
const number = z.number().nullable();

const vinSchema = z
  .object({
    vin: z.string(),
    valid: z.literal(true),
    confidence: z.enum(["high", "medium", "low"]).openapi({
      description:
        "`high`: make, model and year follow without a doubt; `medium`: some of it is open; `low`: no more than the maker is known",
    }),
    country: text.openapi({ description: "Which country gave the maker its code" }),
    region: text,
    manufacturer: text,
    make: text,
    model: text,
    year: z.number().int().nullable(),
    series: text,
    trim: text,
    type: text.openapi({ description: "The kind of vehicle" }),
    body: text,
    engine: z
      .object({
        model: text,
        manufacturer: text,
        configuration: text,
        cylinders: number,
        displacement_l: number,
        power_kw: number,
        turbo: text,
      })
      .nullable(),
    drive: text,
    fuel: text,
    plant: z.object({ city: text, state: text, country: text }).nullable(),
    safety: text.openapi({ description: "Belts and air bags, in the maker's words" }),
    weight_class: text.openapi({ description: "Gross vehicle weight rating" }),
    attributes: z
      .array(z.object({ name: z.string(), value: z.string(), source: z.string() }))
      .openapi({ description: "All that is known, each with what says so" }),
    positions: z
      .array(
        z.object({
          from: z.number().int(),
          to: z.number().int(),
          chars: z.string(),
          means: z.string(),
        }),
      )
      .openapi({ description: "What each position stands for, from 1 to 17" }),
    warnings: z.array(z.object({ code: z.string(), message: z.string() })),
    source: z.enum(["offline"]),
    data: z.string().openapi({ description: "The version of the data" }),
    cached: z.boolean(),
  })
  .openapi("Vin");

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

function encodeVin({ engine, weightClass, ...report }: VinReport, cached: boolean) {
  return {
    ...report,
    engine: engine && {
      model: engine.model,
      manufacturer: engine.manufacturer,
      configuration: engine.configuration,
      cylinders: engine.cylinders,
      displacement_l: engine.displacementL,
      power_kw: engine.powerKw,
      turbo: engine.turbo,
    },
    weight_class: weightClass,
    cached,
  };
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
    const { report, cached } = await readVin(c.get("context"), vinPorts(c), c.req.valid("param"));
    return c.json(encodeVin(report, cached), 200);
  })
  .openapi(batchContract, async (c) => {
    const results = await readVins(c.get("context"), vinPorts(c), c.req.valid("json"));
    return c.json({ data: results.map(encodeResult) }, 200);
  });
