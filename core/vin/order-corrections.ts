import { decodeVin } from "./decode-vin.ts";
import { inspectVin, type WrongVin } from "./inspect-vin.ts";
import type { MakerFile } from "./maker-file.ts";
import type { Confidence } from "./vin-report.ts";

/** How many files are read to judge the corrections of one VIN: the maker's own, and one of a maker it was taken for. */
const FILES = 2;

const RANK: Readonly<Record<Confidence, number>> = { high: 0, medium: 1, low: 2 };

/**
 * Puts those corrections first that are a known vehicle, otherwise as they were: of all VINs that differ by a likely
 * mistake, most are of no vehicle that was ever made.
 */
export async function orderCorrections(
  { corrections }: WrongVin,
  ports: { makerFile(code: string): Promise<MakerFile | null> },
  now: Date,
): Promise<string[]> {
  const codes = [...new Set(corrections.map((vin) => vin.slice(0, 3)))].slice(0, FILES);
  const files = new Map(
    await Promise.all(codes.map(async (code) => [code, await ports.makerFile(code)] as const)),
  );
  const judged = corrections.map((vin, at) => {
    const inspected = inspectVin(vin);
    const file = files.get(vin.slice(0, 3)) ?? null;
    const rank = inspected.valid && file ? RANK[decodeVin(inspected, file, now).confidence] : 3;
    return { vin, at, rank };
  });
  return judged
    .toSorted((one, other) => one.rank - other.rank || one.at - other.at)
    .map(({ vin }) => vin);
}
