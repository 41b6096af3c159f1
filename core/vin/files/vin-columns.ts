import { harmlessText } from "../../kernel/csv.ts";
import type { VinResult } from "../read-vins.ts";
import type { VinEngine, VinReport } from "../vin-report.ts";

/** What is added to each row of a file, in this order. */
export const VIN_COLUMNS = [
  "vin_valid",
  "vin_confidence",
  "vin_make",
  "vin_model",
  "vin_year",
  "vin_trim",
  "vin_type",
  "vin_body",
  "vin_engine",
  "vin_drive",
  "vin_fuel",
  "vin_manufacturer",
  "vin_country",
  "vin_plant",
  "vin_source",
  "vin_problem",
  "vin_suggestion",
] as const;

/** The values of a row, one for each of VIN_COLUMNS. */
export type VinRow = string[];

/** What a VIN says, as a row. A wrong one has its reason, and what it may have been meant to be. */
export function rowOf(result: VinResult): VinRow {
  if (!("report" in result)) {
    const { faults, corrections } = result.wrong;
    return row({
      vin_valid: "no",
      vin_problem: faults.map(({ message }) => message).join(" "),
      vin_suggestion: corrections[0] ?? "",
    });
  }
  const { report } = result;
  return row({
    vin_valid: "yes",
    vin_confidence: report.confidence,
    vin_make: report.make,
    vin_model: report.model,
    vin_year: report.year === null ? null : String(report.year),
    vin_trim: report.trim,
    vin_type: report.type,
    vin_body: report.body,
    vin_engine: engineText(report.engine),
    vin_drive: report.drive,
    vin_fuel: report.fuel,
    vin_manufacturer: report.manufacturer,
    vin_country: report.country,
    vin_plant: plantText(report.plant),
    vin_source: report.sources.join(" "),
    vin_problem: report.warnings.map(({ message }) => message).join(" "),
  });
}

/** Of a row without a VIN, or one that could not be read at all. */
export const problemRow = (problem: string): VinRow => row({ vin_problem: problem });

function row(values: Partial<Record<(typeof VIN_COLUMNS)[number], string | null>>): VinRow {
  // What services say may begin with anything.
  return VIN_COLUMNS.map((name) => harmlessText(values[name] ?? ""));
}

function engineText(engine: VinEngine | null): string {
  if (engine === null) return "";
  const { displacementL, configuration, cylinders, powerKw, model } = engine;
  return [
    displacementL === null ? null : `${displacementL} L`,
    configuration,
    cylinders === null ? null : `${cylinders} cylinders`,
    powerKw === null ? null : `${Math.round(powerKw)} kW`,
    model,
  ]
    .filter((part) => part !== null)
    .join(", ");
}

const plantText = (plant: VinReport["plant"]) =>
  [plant?.city, plant?.state, plant?.country].filter(Boolean).join(", ");
