import { describe, expect, it } from "vitest";
import { decodeVin } from "./decode-vin.ts";
import { inspectVin } from "./inspect-vin.ts";
import { ELEMENT, type MakerFile } from "./maker-file.ts";
import { checkDigitOf } from "./vin.ts";

const now = new Date("2026-11-21");

/** Patterns in words: keys, then what they say. */
type Said = [string, Partial<Record<keyof typeof ELEMENT, string>>];
interface Written {
  name: string;
  years: [number, number];
  patterns: Said[];
}

/** The file of one maker, as the build writes it. */
function fileOf(code: string, type: string, schemas: Written[], makes = ["Test"]): MakerFile {
  const texts: string[] = [];
  const index = (text: string) => texts.push(text) - 1;
  return {
    makers: [
      {
        code,
        manufacturer: "TEST MOTORS",
        country: "United States",
        type,
        makes,
        schemas: schemas.map(({ years }, at) => [at, ...years]),
      },
    ],
    schemas: schemas.map(({ name, patterns }) => [
      name,
      ...patterns.map(([keys, said]): [string, number[]] => [
        keys,
        Object.entries(said).flatMap(([element, text]) => [
          ELEMENT[element as keyof typeof ELEMENT], // Object.entries forgets the literal type
          index(text),
        ]),
      ]),
    ]),
    engines: [[index("V8"), ELEMENT.cylinders, index("8")]],
    texts,
  };
}

function decode(vin: string, file: MakerFile) {
  const right = vin.slice(0, 8) + checkDigitOf(vin) + vin.slice(9);
  const inspected = inspectVin(right);
  if (!inspected.valid) throw new Error("not right");
  return decodeVin(inspected, file, now);
}
const codes = (report: { warnings: { code: string }[] }) => report.warnings.map(({ code }) => code);

const car = (name: string, keys: string, years: [number, number] = [2000, 0]): Written => ({
  name,
  years,
  patterns: [[keys, { make: "Test", model: name, bodyClass: "Sedan" }]],
});

describe("which schema explains a VIN", () => {
  it("is the one that asks for more characters", () => {
    const file = fileOf("1TE", "Passenger Car", [car("Any", "A"), car("Exact", "AB3D5")]);
    expect(decode("1TEAB3D50LA000001", file)).toMatchObject({ model: "Exact", year: 2020 });
  });

  it("is not one that leaves open what it usually knows, though its model fits better", () => {
    const elsewhere: Written = {
      name: "Elsewhere",
      years: [2000, 0],
      patterns: [
        ["AB3D", { make: "Test", model: "Elsewhere" }],
        ["ZZ", { bodyClass: "Van", fuelPrimary: "Diesel", trim: "L", engineModel: "V8" }],
      ],
    };
    const here: Written = {
      name: "Here",
      years: [2000, 0],
      patterns: [["AB", { make: "Test", model: "Here", bodyClass: "Sedan", trim: "S" }]],
    };
    expect(
      decode("1TEAB3D50LA000001", fileOf("1TE", "Passenger Car", [elsewhere, here])),
    ).toMatchObject({ model: "Here", trim: "S", body: "Sedan" });
  });

  it("is not sure where another model fits as well", () => {
    const file = fileOf("1TE", "Passenger Car", [car("One", "AB"), car("Other", "*B3")]);
    const report = decode("1TEAB3D50LA000001", file);
    expect(report).toMatchObject({ confidence: "medium", year: 2020, make: "Test" });
    expect(codes(report)).toContain("other_model");
  });

  it("does not say what its own patterns contradict", () => {
    const torn = car("Car", "AB");
    torn.patterns.push(["**3", { trim: "Base" }], ["***D", { trim: "Top" }]);
    expect(decode("1TEAB3D50LA000001", fileOf("1TE", "Passenger Car", [torn]))).toMatchObject({
      model: "Car",
      trim: null,
    });
  });
});

describe("the year", () => {
  const both = [car("Old", "AB", [1985, 1995]), car("New", "A", [2015, 2025])];
  it("of a light vehicle is the one of position 7, though the other fits better", () => {
    expect(decode("1TEAB3D50LA000001", fileOf("1TE", "Passenger Car", both))).toMatchObject({
      year: 2020,
      model: "New",
      confidence: "high",
    });
    expect(decode("1TEAB3350LA000001", fileOf("1TE", "Passenger Car", both))).toMatchObject({
      year: 1990,
      model: "Old",
    });
  });

  it("of a bus is the one whose schema fits better, and never sure where both have one", () => {
    const report = decode("1TEAB3350LA000001", fileOf("1TE", "Bus", both));
    expect(report).toMatchObject({ year: 1990, confidence: "medium" });
    expect(codes(report)).toEqual(["year_ambiguous"]);
  });

  it("is sure where only one of them ever had such a vehicle", () => {
    const file = fileOf("1TE", "Truck", [car("New", "AB", [2015, 2025])]);
    expect(decode("1TEAB3D50LA000001", file)).toMatchObject({ year: 2020, confidence: "high" });
  });

  it("is none where position 10 stands for none", () => {
    const report = decode("1TEAB3D50UA000001", fileOf("1TE", "Passenger Car", both));
    expect(report).toMatchObject({ year: null, model: null, make: "Test", confidence: "low" });
    expect(codes(report)).toContain("year_unknown");
  });
});

describe("values", () => {
  const plants: Written = {
    name: "Plants",
    years: [1990, 0],
    patterns: [
      ["*****|*A", { plantCity: "AVILA", plantCountry: "Spain" }],
      ["*****|*B", { plantCity: "BONN", plantCountry: "Germany" }],
    ],
  };

  it("come from lists of plants too, and from what is known of the engine", () => {
    const withEngine = car("Car", "AB");
    withEngine.patterns.push(["****5", { engineModel: "V8" }]);
    const report = decode(
      "1TEAB3D50LA000001",
      fileOf("1TE", "Passenger Car", [withEngine, plants]),
    );
    expect(report).toMatchObject({
      plant: { city: "AVILA", country: "Spain", state: null },
      engine: { model: "V8", cylinders: 8 },
    });
    expect(report.attributes).toContainEqual({
      name: "Engine cylinders",
      value: "8",
      source: "vPIC: engine model V8",
    });
    expect(report.positions).toContainEqual({
      from: 11,
      to: 11,
      chars: "A",
      means: "Plant: AVILA, Spain",
    });
  });

  it("of several makes name none where no model does", () => {
    const report = decode(
      "1TEZZZZZ0LA000001",
      fileOf("1TE", "Passenger Car", [car("Car", "AB")], ["One", "Two"]),
    );
    expect(report).toMatchObject({ make: null, model: null, confidence: "low" });
    expect(codes(report)).toEqual(["make_unknown", "model_unknown"]);
  });
});

describe("a VIN from outside North America", () => {
  const file = fileOf("WTE", "Passenger Car", [car("Car", "AB3D5")]);
  it("with the right check digit and a descriptor that was sold there is read as one", () => {
    expect(decode("WTEAB3D50LA000001", file)).toMatchObject({
      model: "Car",
      year: 2020,
      confidence: "high",
    });
  });

  it("is not where position 7 and the year contradict each other", () => {
    const old = fileOf("WTE", "Passenger Car", [car("Old", "AB3D5", [1980, 0])]);
    expect(decode("WTEAB3D503A000001", old)).toMatchObject({
      model: null,
      year: null,
      confidence: "low",
    });
  });

  it("is not with a wrong check digit, even where all else fits", () => {
    const inspected = inspectVin("WTEAB3D5ZLA000001");
    if (!inspected.valid) throw new Error("not right");
    expect(decodeVin(inspected, file, now)).toMatchObject({
      make: "Test",
      model: null,
      year: null,
      body: null,
      confidence: "low",
    });
  });
});
