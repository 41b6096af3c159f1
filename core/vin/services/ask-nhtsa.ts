import { z } from "zod";
import { fetchServiceJson, OTHER_FORM } from "./fetch-service-json.ts";
import { NHTSA_ELEMENTS } from "./nhtsa-elements.ts";
import { plainCountry, titleCase } from "./service-text.ts";
import type { ServiceAnswer, ServiceFacts, ServiceFailure, ServiceReach } from "./service-facts.ts";

/** How many VINs one question may have; vPIC takes no more. */
export const NHTSA_MOST = 50;
/** Fifty flat answers have about 350 KB. */
const LIMIT = 2 * 1024 * 1024;
const LONGEST_VALUE = 1_000;

const answerSchema = z.object({
  Results: z.array(z.record(z.string(), z.unknown())).max(NHTSA_MOST),
});

/** What vPIC's error codes mean for us; it may say several, separated by commas. */
const CLEAN = "0";
const WRONG_CHECK_DIGIT = "1";
/** It read another VIN instead: 2 to 4 corrected, 5 too many errors. 6: too short, 400: no VIN at all. */
const OF_NO_USE = new Set(["2", "3", "4", "5", "6", "400"]);
const WRONG_YEAR = "11";

/**
 * Asks NHTSA's vPIC, the service that our own data is a copy of, but as it is today.
 * @param vins up to NHTSA_MOST, in their plain form
 */
export async function askNhtsa(
  reach: ServiceReach,
  vins: readonly string[],
): Promise<ServiceAnswer> {
  const answer = await fetchServiceJson(reach, {
    url: `${reach.baseUrl}/DecodeVINValuesBatch/`,
    init: {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: new URLSearchParams({ format: "json", data: vins.join(";") }).toString(),
    },
    limit: LIMIT,
  });
  const failed = (failure: ServiceFailure) => ({ facts: new Map(), unanswered: vins, failure });
  if ("message" in answer) return failed(answer);
  const parsed = "json" in answer ? answerSchema.safeParse(answer.json) : null;
  if (!parsed?.success) return failed(OTHER_FORM);
  const facts = new Map<string, ServiceFacts>();
  // By the VIN that each result names: their order is not promised, and one that was not asked for is not taken.
  for (const result of parsed.data.Results) {
    const vin = result["VIN"];
    if (typeof vin !== "string" || !vins.includes(vin)) continue;
    const read = readResult(result);
    if (read) facts.set(vin, read);
  }
  return { facts, unanswered: [], failure: null };
}

function readResult(result: Readonly<Record<string, unknown>>): ServiceFacts | null {
  const codes = String(result["ErrorCode"] ?? "")
    .split(",")
    .map((code) => code.trim());
  if (codes.some((code) => code === "" || OF_NO_USE.has(code))) return null;
  const text = (name: string) => textOf(result[name]);
  const manufacturer = text("Manufacturer");
  const make = text("Make");
  const year = Number(text("ModelYear") ?? Number.NaN);
  const known = {
    service: "nhtsa" as const, // keeps the literal type
    manufacturer,
    make: make && titleCase(make),
    ambiguous: false,
  };
  // Without a right check digit nothing shows that the vehicle was made for North America, which vPIC is about.
  if (codes.includes(WRONG_CHECK_DIGIT))
    return { ...known, model: null, year: null, type: null, values: new Map(), sure: false };
  const values = new Map<number, string>();
  for (const [name, element] of NHTSA_ELEMENTS) {
    const value = text(name);
    if (value !== null) values.set(element, name === "PlantCountry" ? plainCountry(value) : value);
  }
  return {
    ...known,
    model: text("Model"),
    year: Number.isInteger(year) && !codes.includes(WRONG_YEAR) ? year : null,
    type: titleCase(text("VehicleType") ?? "") || null,
    values,
    sure: codes.every((code) => code === CLEAN),
  };
}

function textOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value.trim().slice(0, LONGEST_VALUE);
  return text === "" || text === "Not Applicable" ? null : text;
}
