import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { decodeVin } from "#core/vin/decode-vin.ts";
import { inspectVin } from "#core/vin/inspect-vin.ts";
import { makerFilePath } from "#core/vin/vin-data.ts";
import { readMakerFile } from "./known-vins.ts";
import { makeVin, seeded } from "./made-vins.ts";

const now = new Date("2026-11-21");
/** VINs that are made of each file. */
const EACH = 8;

test("of VINs made by every maker's own patterns none is told as sure with another make or year", async () => {
  const folder = fileURLToPath(
    new URL(`../../dist/assets${makerFilePath("1HG")}/..`, import.meta.url),
  );
  const codes = (await readdir(folder)).flatMap(
    (name) => /^[A-Z0-9]{3}(?=\.json$)/.exec(name) ?? [],
  );
  const random = seeded(4);
  const counts = { made: 0, sure: 0, otherModel: 0 };
  for (const code of codes) {
    const file = await readMakerFile(code);
    if (!file) throw new Error(`${code} is gone`);
    for (let at = 0; at < EACH; at++) {
      const made = makeVin(file, random);
      if (!made) continue;
      const inspected = inspectVin(made.vin);
      if (!inspected.valid) continue; // vPIC has a code and keys with letters that no VIN has
      const report = decodeVin(inspected, file, now);
      counts.made++;
      if (report.confidence !== "high") continue;
      counts.sure++;
      expect({ ...made, make: report.make, year: report.year }).toEqual({
        ...made,
        make: made.make ?? report.make,
      });
      if (report.model !== made.model) counts.otherModel++;
    }
  }
  expect(codes.length).toBeGreaterThan(3_000);
  expect(counts.sure).toBeGreaterThan(5_000);
  // Where two schemas of a maker and year say different models of the same descriptor, one of them is taken.
  expect(counts.otherModel).toBeLessThan(counts.sure / 500);
});
