import { readVin, readVinInput } from "#core/vin/read-vin.ts";
import type { VinReport } from "#core/vin/vin-report.ts";
import {
  createRoute,
  createRouter,
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

export const vinRoutes = createRouter().openapi(contract, async (c) => {
  const { report, cached } = await readVin(c.get("context"), vinPorts(c), c.req.valid("param"));
  return c.json(encodeVin(report, cached), 200);
});
