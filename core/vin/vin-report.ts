import type { ServiceName } from "./services/service-facts.ts";

/** Who says what an answer tells: our own data, or a service. */
export type VinSource = "offline" | ServiceName;

/** How sure an answer is: `high` only where make, model and year follow without a doubt. */
export type Confidence = "high" | "medium" | "low";

/** What may be doubtful about an answer. */
export const VIN_WARNINGS = [
  "check_digit",
  "unknown_maker",
  "make_unknown",
  "model_unknown",
  "other_model",
  "year_ambiguous",
  "year_unknown",
  "not_confirmed",
  "contradiction",
  "single_source",
  "ambiguous",
  "service_unavailable",
] as const;

/** What a caller should know of an answer. */
export interface VinWarning {
  code: (typeof VIN_WARNINGS)[number];
  message: string;
}

/** What a part of the VIN stands for. Positions count from 1. */
export interface VinPosition {
  from: number;
  to: number;
  chars: string;
  means: string;
}

export interface VinEngine {
  model: string | null;
  manufacturer: string | null;
  configuration: string | null;
  cylinders: number | null;
  displacementL: number | null;
  powerKw: number | null;
  turbo: string | null;
}

/** What a VIN says; null is for what is not known. */
export interface VinReport {
  vin: string;
  /** No rule of its region is broken. A wrong VIN has no report. */
  valid: true;
  confidence: Confidence;
  /** Where the maker's code was given. */
  country: string | null;
  region: string | null;
  manufacturer: string | null;
  make: string | null;
  model: string | null;
  year: number | null;
  series: string | null;
  trim: string | null;
  /** Kind of vehicle, such as `Passenger Car`. */
  type: string | null;
  body: string | null;
  engine: VinEngine | null;
  drive: string | null;
  fuel: string | null;
  plant: { city: string | null; state: string | null; country: string | null } | null;
  /** Belts and air bags, in the maker's words. */
  safety: string | null;
  weightClass: string | null;
  attributes: { name: string; value: string; source: string }[];
  positions: VinPosition[];
  warnings: VinWarning[];
  /** Whose make, model and year are told. */
  source: VinSource;
  /** All whose values are told; each of `attributes` names its own. */
  sources: VinSource[];
  /** Version of the data that says so. */
  data: string;
}
