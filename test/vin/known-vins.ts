import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { decodeVin } from "#core/vin/decode-vin.ts";
import { inspectVin } from "#core/vin/inspect-vin.ts";
import type { MakerFile } from "#core/vin/maker-file.ts";
import { makerFilePath } from "#core/vin/vin-data.ts";
import type { VinReport } from "#core/vin/vin-report.ts";

/** The lists in known-vins/, by the name of their file. */
export const KNOWN_LISTS = ["corgi", "libvin"] as const;

export interface KnownVin {
  vin: string;
  make: string;
  model: string;
  year: number;
}

/** The rows of a list. */
export async function readKnownVins(list: (typeof KNOWN_LISTS)[number]): Promise<KnownVin[]> {
  const file = new URL(`./known-vins/${list}.csv`, import.meta.url);
  const [, ...lines] = (await readFile(file, "utf8")).trim().split("\n");
  return lines.map((line) => {
    const [vin = "", make = "", model = "", year = ""] = line.split(",");
    return { vin, make, model, year: Number(year) };
  });
}

/** The built file of a maker code, as the api Worker reads it; null where there is none. */
export async function readMakerFile(vin: string): Promise<MakerFile | null> {
  const root = fileURLToPath(new URL("../../dist/assets", import.meta.url));
  try {
    return JSON.parse(await readFile(root + makerFilePath(vin), "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Reads a VIN with the built data. @throws Error for a wrong one */
export async function decode(vin: string, now = new Date()): Promise<VinReport> {
  const inspected = inspectVin(vin);
  if (!inspected.valid) throw new Error(`${vin}: ${inspected.faults[0]?.message}`);
  return decodeVin(inspected, await readMakerFile(vin), now);
}

/** An answer beside what is known. */
export interface Compared {
  known: KnownVin;
  report: Pick<VinReport, "make" | "model" | "year" | "series" | "trim"> & { confidence?: string };
  makeIsRight: boolean;
  yearIsRight: boolean;
  /** `same`, or one of the names is within the other, as `Civic` and `Civic Hybrid` are. */
  model: "same" | "within" | "other";
}

const plain = (name: string | null) =>
  (name ?? "")
    .normalize("NFKD")
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, "");

/** Compares names by letters and digits only; a model also by its series and trim, which lists put into its name. */
export function compare(known: KnownVin, report: Compared["report"]): Compared {
  const expected = plain(known.model);
  const model = plain(report.model);
  const whole = [report.model, report.series, report.trim].map(plain);
  const names = [
    model,
    ...whole.slice(1).flatMap((name) => (name === "" ? [] : [model + name, name])),
  ];
  const isWithin =
    model !== "" &&
    (expected.startsWith(model) || model.startsWith(expected) || names.includes(expected));
  return {
    known,
    report,
    makeIsRight: plain(report.make) === plain(known.make),
    yearIsRight: report.year === known.year,
    model: model === expected ? "same" : isWithin ? "within" : "other",
  };
}

/** Make and year are right, and the model is, in the sense of `within`. */
export const isRight = ({ makeIsRight, yearIsRight, model }: Compared) =>
  makeIsRight && yearIsRight && model !== "other";
