import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspectVin } from "#core/vin/inspect-vin.ts";
import { decodeVin } from "#core/vin/decode-vin.ts";
import { orderCorrections } from "#core/vin/order-corrections.ts";
import { checkDigitOf, VIN_CHARACTERS } from "#core/vin/vin.ts";
import {
  compare,
  decode,
  isRight,
  KNOWN_LISTS,
  readKnownVins,
  readMakerFile,
} from "./known-vins.ts";

/** The data as `npm run build` cuts it; figures and misses are named in docs/vin.md. */
const now = new Date("2026-11-21");
const readAll = async (list: (typeof KNOWN_LISTS)[number]) =>
  Promise.all(
    (await readKnownVins(list)).map(async (row) => compare(row, await decode(row.vin, now))),
  );

describe("VINs with known answers", () => {
  test.each([
    ["corgi", 153, 146],
    ["libvin", 84, 79],
  ] as const)("of the list %s, all %i, at least %i are read right", async (list, all, right) => {
    const rows = await readAll(list);
    expect(rows).toHaveLength(all);
    expect(rows.filter(isRight).length).toBeGreaterThanOrEqual(right);
  });

  test.each(KNOWN_LISTS)(
    "of the list %s never have a wrong make or year that is told as sure",
    async (list) => {
      const sure = (await readAll(list)).filter(({ report }) => report.confidence === "high");
      expect(sure.filter((row) => !row.makeIsRight || !row.yearIsRight)).toEqual([]);
      expect(sure.length).toBeGreaterThan(80);
    },
  );

  test.each(KNOWN_LISTS)(
    "of the list %s never have another make or year than known",
    async (list) => {
      const wrong = (await readAll(list)).filter(
        ({ report, makeIsRight, yearIsRight }) =>
          (report.make !== null && !makeIsRight) || (report.year !== null && !yearIsRight),
      );
      expect(wrong).toEqual([]);
    },
  );
});

describe("what a VIN says", () => {
  test("of a Honda is all there, with what says so", async () => {
    const report = await decode("1HGCM82633A004352", now);
    expect(report).toMatchObject({
      confidence: "high",
      country: "United States",
      make: "Honda",
      model: "Accord",
      year: 2003,
      trim: "EX-V6",
      type: "Passenger Car",
      body: "Coupe",
      engine: { model: "J30A4", configuration: "V-Shaped", cylinders: 6 },
      fuel: "Gasoline",
      plant: { city: "MARYSVILLE", state: "OHIO", country: "United States" },
      weightClass: expect.stringContaining("Class 1C"),
      warnings: [],
    });
    expect(report.attributes).toContainEqual({
      name: "Model",
      value: "Accord",
      source: "vPIC: Honda Accord Schema 2003",
    });
    expect(new Set(report.attributes.map(({ name }) => name)).size).toBe(report.attributes.length);
  });

  test("of a bus of 1989 names both years that it may be, and takes the right one", async () => {
    const report = await decode("1M8GDM9AXKP042788", now);
    expect(report).toMatchObject({ year: 1989, confidence: "medium" });
    expect(report.warnings).toEqual([
      { code: "year_ambiguous", message: "The model year may be 1989 or 2019; 1989 fits better." },
    ]);
  });

  test("of a small maker is found by positions 12 to 14", async () => {
    // 1Z9370 is Identity Motors, 1B9789 Barnyard Customs; each has a schema of its own.
    const withCheckDigit = (vin: string) => vin.slice(0, 8) + checkDigitOf(vin) + vin.slice(9);
    const one = await decode(withCheckDigit("1Z9AAAAA09A370001"), now);
    const other = await decode(withCheckDigit("1B9AAAAA05A789001"), now);
    expect(one.manufacturer).toMatch(/identity motors/i);
    expect(other.manufacturer).toMatch(/barnyard/i);
    expect(one.positions.map(({ from, to }) => [from, to]).slice(-2)).toEqual([
      [12, 14],
      [15, 17],
    ]);
    expect((await decode(withCheckDigit("1Z9AAAAA09AZZZ001"), now)).warnings[0]?.code).toBe(
      "unknown_maker",
    );
  });

  test.each([
    ["WVWZZZ1KZ6W000001", "Volkswagen", "Germany"],
    ["VF3LBHZTHFS000001", "Peugeot", "France"],
    ["TMBEG7NE5F0000001", "Škoda", "Czech Republic"],
    ["XTA210990Y2766389", "Lada", "Russia"],
    ["NAAM01CA5CE000001", "Iran Khodro", "Iran"],
    ["MAT60720XC7R00001", "Tata", "India"],
  ])(
    "of a vehicle that was not made for North America, %s, is the maker: %s, %s",
    async (vin, make, country) => {
      const report = await decode(vin, now);
      expect(report).toMatchObject({
        make,
        country,
        confidence: "low",
        model: null,
        year: null,
        trim: null,
        engine: null,
        body: null,
      });
      expect(report.warnings.map(({ code }) => code)).toContain("not_confirmed");
    },
  );

  test("of no imaginable European VIN is a model or year told as sure, unless its check digit is right", async () => {
    const makers = ["WVW", "WDB", "WBA", "VF3", "ZAR", "SAJ", "YV1", "JTD", "KMH"];
    const files = new Map(
      await Promise.all(makers.map(async (code) => [code, await readMakerFile(code)] as const)),
    );
    const rest = fc.string({
      unit: fc.constantFrom(...VIN_CHARACTERS),
      minLength: 14,
      maxLength: 14,
    });
    fc.assert(
      fc.property(fc.constantFrom(...makers), rest, (code, more) => {
        const inspected = inspectVin(code + more);
        if (!inspected.valid) throw new Error("outside North America nothing is wrong with it");
        fc.pre(!inspected.checkDigit.right);
        const report = decodeVin(inspected, files.get(code) ?? null, now);
        expect([report.confidence, report.model, report.year]).toEqual(["low", null, null]);
      }),
      { numRuns: 1_000 },
    );
  });
});

test("any text is read or refused, and what is read is explained from the first position to the last", async () => {
  const codes = ["1FT", "1HG", "3VW", "5YJ", "1M8", "1A9", "WBA", "ZZZ", "JYA"];
  const files = new Map(
    await Promise.all(codes.map(async (code) => [code, await readMakerFile(code)] as const)),
  );
  const characters = fc.string({
    unit: fc.constantFrom(...VIN_CHARACTERS),
    minLength: 14,
    maxLength: 14,
  });
  const vins = fc.tuple(fc.constantFrom(...codes), characters).map(([code, more]) => {
    const vin = code + more;
    return vin.slice(0, 8) + checkDigitOf(vin) + vin.slice(9);
  });
  fc.assert(
    fc.property(vins, (vin) => {
      const inspected = inspectVin(vin);
      if (!inspected.valid) throw new Error(`${vin} has the right check digit`);
      const report = decodeVin(inspected, files.get(vin.slice(0, 3)) ?? null, now);
      expect(report.positions.map(({ chars }) => chars).join("")).toBe(vin);
      let next = 1;
      for (const { from, to } of report.positions) {
        expect(from).toBe(next);
        next = to + 1;
      }
      if (report.confidence === "high")
        expect([report.make, report.model, report.year]).not.toContain(null);
      if (report.year !== null) expect(report.year).toBeLessThanOrEqual(2027);
    }),
    { numRuns: 1_000 },
  );
});

describe("corrections", () => {
  test("that are a known vehicle come first", async () => {
    const ordered = async (text: string) => {
      const inspected = inspectVin(text);
      if (inspected.valid) throw new Error(`${text} is right`);
      return orderCorrections(inspected, { makerFile: readMakerFile }, now);
    };
    expect((await ordered("1HGMC82633A004352"))[0]).toBe("1HGCM82633A004352");
    expect((await ordered("1FTFWSL86RFB45612"))[0]).toBe("1FTFW5L86RFB45612");
    expect((await ordered("1GHCM82633A004352"))[0]).toBe("1HGCM82633A004352");
  });
});
