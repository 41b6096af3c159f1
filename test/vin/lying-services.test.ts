import { expect, test } from "vitest";
import { combineSources } from "#core/vin/combine-sources.ts";
import { makeReport } from "#core/vin/decode-vin.ts";
import { inspectVin } from "#core/vin/inspect-vin.ts";
import { readOffline } from "#core/vin/read-offline.ts";
import { isSameMake } from "#core/vin/same-vehicle.ts";
import type { ServiceFacts } from "#core/vin/services/service-facts.ts";
import { KNOWN_LISTS, type KnownVin, readKnownVins, readMakerFile } from "./known-vins.ts";

const now = new Date("2026-11-21");
const RANK = { high: 2, medium: 1, low: 0 };

const truth = (
  service: ServiceFacts["service"],
  { make, model, year }: KnownVin,
): ServiceFacts => ({
  service,
  manufacturer: null,
  make,
  model,
  year,
  type: null,
  values: new Map(),
  sure: true,
  ambiguous: false,
});

/** What services say of a vehicle: one lies, or both each in another way. */
const LIES: Record<string, (known: KnownVin) => ServiceFacts[]> = {
  "another make": (known) => [{ ...truth("nhtsa", known), make: "Zastava" }],
  "another year": (known) => [{ ...truth("nhtsa", known), year: known.year + 1 }],
  "the year of thirty years before": (known) => [
    { ...truth("nhtsa", known), year: known.year - 30 },
  ],
  "the year of thirty years after": (known) => [
    { ...truth("nhtsa", known), year: known.year + 30 },
  ],
  "another model": (known) => [{ ...truth("nhtsa", known), model: "Koral" }],
  "another vehicle altogether": () => [
    truth("autodev", { vin: "", make: "Trabant", model: "601", year: 1989 }),
  ],
  "two lies of two services": (known) => [
    { ...truth("nhtsa", known), year: known.year - 30 },
    { ...truth("autodev", known), make: "Zastava" },
  ],
  "one that lies beside one that does not": (known) => [
    { ...truth("nhtsa", known), make: "Zastava", model: "Koral" },
    truth("autodev", known),
  ],
};

const rows = (await Promise.all(KNOWN_LISTS.map(readKnownVins))).flat();
const readings = await Promise.all(
  rows.map(async (known) => {
    const inspected = inspectVin(known.vin);
    if (!inspected.valid) throw new Error(`${known.vin} is no VIN`);
    return { known, reading: readOffline(inspected, await readMakerFile(known.vin), now) };
  }),
);
const reportOf = (one: (typeof readings)[number], facts: ServiceFacts[], before: number) =>
  makeReport(one.reading, combineSources(one.reading, facts, before));

test.each(Object.entries(LIES))(
  "no known VIN is told as sure with a wrong make or year when a service says %s",
  (_lie, facts) => {
    for (const one of readings)
      for (const before of [0, 1]) {
        const { confidence, make, year } = reportOf(one, facts(one.known), before);
        if (confidence !== "high") continue;
        expect({ vin: one.known.vin, year }).toEqual({ vin: one.known.vin, year: one.known.year });
        expect(isSameMake(make ?? "", one.known.make), one.known.vin).toBe(true);
      }
  },
);

test.each(Object.entries(LIES))(
  "an answer that our own data is sure of keeps make, model and year when a service says %s",
  (_lie, facts) => {
    for (const one of readings) {
      const alone = reportOf(one, [], 0);
      if (alone.confidence !== "high") continue;
      for (const before of [0, 1]) {
        const { make, model, year } = reportOf(one, facts(one.known), before);
        expect({ make, model, year }).toEqual({
          make: alone.make,
          model: alone.model,
          year: alone.year,
        });
      }
    }
  },
);

test.each(Object.entries(LIES))(
  "what the VIN itself says of make and year is told all the same when a service says %s",
  (_lie, facts) => {
    for (const one of readings) {
      const { reading, known } = one;
      if (!reading.confirmed || !reading.yearIsSure) continue;
      for (const before of [0, 1]) {
        const report = reportOf(one, facts(known), before);
        expect(report.year, known.vin).toBe(known.year);
        expect(report.make === null || isSameMake(report.make, known.make), known.vin).toBe(true);
      }
    }
  },
);

test("services that tell the truth never lower the confidence, and lift what was open", () => {
  let lifted = 0;
  for (const one of readings) {
    const alone = reportOf(one, [], 0);
    const facts = [truth("nhtsa", one.known), truth("autodev", one.known)];
    const report = reportOf(one, facts, 0);
    // A few rows name the model in another way than vPIC does: that is a difference between sources.
    if (report.warnings.some(({ code }) => code === "contradiction")) continue;
    expect(RANK[report.confidence], one.known.vin).toBeGreaterThanOrEqual(RANK[alone.confidence]);
    if (RANK[report.confidence] > RANK[alone.confidence]) lifted++;
  }
  expect(lifted).toBeGreaterThanOrEqual(5);
});
