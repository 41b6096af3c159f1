import { z } from "zod";
import { VIN_FAULTS, type WrongVin } from "../../vin/inspect-vin.ts";
import { VIN_WARNINGS, type VinReport } from "../../vin/vin-report.ts";

const text = z.string().nullable();
const number = z.number().nullable();

const vinSource = z.enum(["offline", "nhtsa", "autodev"]);

/** What a VIN says, as the API speaks it. */
export const vinShape = z.object({
  vin: z.string(),
  valid: z.literal(true),
  confidence: z
    .enum(["high", "medium", "low"])
    .describe(
      "`high`: make, model and year follow without a doubt; `medium`: some of it is open; `low`: no more than the maker is known",
    ),
  country: text.describe("Which country gave the maker its code"),
  region: text,
  manufacturer: text,
  make: text,
  model: text,
  year: z.number().int().nullable(),
  series: text,
  trim: text,
  type: text.describe("The kind of vehicle"),
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
  safety: text.describe("Belts and air bags, in the maker's words"),
  weight_class: text.describe("Gross vehicle weight rating"),
  attributes: z
    .array(z.object({ name: z.string(), value: z.string(), source: z.string() }))
    .describe("All that is known, each with what says so"),
  positions: z
    .array(
      z.object({
        from: z.number().int(),
        to: z.number().int(),
        chars: z.string(),
        means: z.string(),
      }),
    )
    .describe("What each position stands for, from 1 to 17"),
  warnings: z.array(z.object({ code: z.enum(VIN_WARNINGS), message: z.string() })),
  source: vinSource.describe("Whose make, model and year are told"),
  sources: z.array(vinSource).describe("All whose values are told"),
  data: z.string().describe("The version of the data"),
  cached: z.boolean(),
});

/** A report in that shape. */
export function encodeVin(
  { engine, weightClass, ...report }: VinReport,
  cached: boolean,
): z.input<typeof vinShape> {
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

/** A text that is no VIN, as the API speaks of it. */
export const wrongVinShape = z.object({
  vin: z.string(),
  valid: z.literal(false),
  errors: z.array(z.object({ code: z.enum(VIN_FAULTS), message: z.string() })),
  corrections: z
    .array(z.string())
    .describe("What it may have been meant to be, the likeliest first"),
});

/** The same in that shape. */
export function encodeWrongVin({
  vin,
  faults,
  corrections,
}: WrongVin): z.input<typeof wrongVinShape> {
  return { vin, valid: false, errors: faults, corrections };
}
