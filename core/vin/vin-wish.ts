import { z } from "zod";
import type { VinReport } from "./vin-report.ts";

/** What a request may insist on: services are asked for it where our own data does not know it. */
const NEEDS = [
  "make",
  "model",
  "year",
  "series",
  "trim",
  "type",
  "body",
  "engine",
  "drive",
  "fuel",
  "plant",
  "safety",
  "weight_class",
] as const;

export const vinNeed = z.enum(NEEDS);

/** How one request wants its VINs to be read. */
export const vinWish = z.object({
  /** What must be known for an answer to do; by default a sure make, model and year. */
  need: z.array(vinNeed).max(NEEDS.length).optional(),
  /** `offline`: no service is asked, and the VIN does not leave the house. */
  decoder: z.enum(["offline"]).optional(),
});
export type VinWish = z.output<typeof vinWish>;

/** Whether a report needs no further source. */
export function isEnough(report: VinReport, { need = [] }: VinWish): boolean {
  if (report.confidence !== "high") return false;
  return need.every(
    (name) => (name === "weight_class" ? report.weightClass : report[name]) !== null,
  );
}
