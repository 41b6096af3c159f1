import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inspectVin } from "./inspect-vin.ts";
import { needsCheckDigit } from "./regions.ts";
import { checkDigitOf, hasRightCheckDigit, VIN_CHARACTERS } from "./vin.ts";

const RIGHT = "1HGCM82633A004352";
const corrections = (text: string) => {
  const found = inspectVin(text);
  return found.valid ? [] : found.corrections;
};
const faults = (text: string) => {
  const found = inspectVin(text);
  return found.valid ? [] : found.faults.map(({ code }) => code);
};

/** A VIN with the right check digit. */
const rightVins = fc
  .tuple(
    fc.constantFrom(..."12345"),
    fc.string({ unit: fc.constantFrom(...VIN_CHARACTERS), minLength: 11, maxLength: 11 }),
    fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 5, maxLength: 5 }),
  )
  .map(([first, middle, serial]) => {
    const vin = first + middle + serial;
    return vin.slice(0, 8) + checkDigitOf(vin) + vin.slice(9);
  });

describe("a VIN", () => {
  it("is right with the check digit of its other characters", () => {
    expect(inspectVin(RIGHT)).toEqual({
      valid: true,
      vin: RIGHT,
      checkDigit: { expected: "3", right: true, required: true },
    });
  });

  it("of Europe may have anything in position 9", () => {
    expect(inspectVin("WVWZZZ1KZ6W000001")).toMatchObject({
      valid: true,
      checkDigit: { right: false, required: false },
    });
  });

  it.each([
    ["", ["length"]],
    ["1HGCM82633A00435", ["length"]],
    ["1HGCM82633A0043522", ["length"]],
    ["1HGCM82633AOO4352", ["characters"]],
    ["1HGCM82633A00435Ж", ["characters"]],
    ["1HGCM82633A004353", ["check_digit"]],
    ["IHG", ["length", "characters"]],
  ])("%j has the faults %j", (text, codes) => expect(faults(text)).toEqual(codes));
});

describe("the corrections of a wrong VIN", () => {
  it.each([
    ["the letter O for a zero", "1HGCM82633AOO4352"],
    ["the letter I for a one", "IHGCM82633A004352"],
    ["Q for a zero", "1HGCM82633AQ04352"],
    ["neighbours exchanged", "1HGMC82633A004352"],
    ["neighbours exchanged across the end of the maker code", "1HCGM82633A004352"],
    ["a wrong check digit", "1HGCM82613A004352"],
    ["a doubled zero typed once", "1HGCM82633A04352"],
    ["a doubled three typed thrice", "1HGCM826333A004352"],
    ["B for 8", "1HGCMB2633A004352"],
    ["Z for 2", "1HGCM8Z633A004352"],
    ["S for 5", "1HGCM82633A0043S2"],
  ])("have the right one first or soon after: %s", (_mistake, wrong) => {
    expect(corrections(wrong).slice(0, 5)).toContain(RIGHT);
  });

  it("have the right one for every VIN with two neighbours exchanged, where that shows", () => {
    fc.assert(
      fc.property(rightVins, fc.nat(15), (vin, at) => {
        const wrong = vin.slice(0, at) + vin.charAt(at + 1) + vin.charAt(at) + vin.slice(at + 2);
        fc.pre(!inspectVin(wrong).valid);
        expect(corrections(wrong)).toContain(vin);
      }),
    );
  });

  it("are VINs with the right check digit themselves, whatever was typed", () => {
    const anything = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.string({ unit: "grapheme", maxLength: 30 }),
      fc.string({
        unit: fc.constantFrom(...VIN_CHARACTERS, "I", "O", "Q"),
        minLength: 15,
        maxLength: 19,
      }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        for (const vin of corrections(text)) {
          expect(inspectVin(vin)).toMatchObject({ valid: true, vin });
          expect(hasRightCheckDigit(vin) || !needsCheckDigit(vin)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("are none where too much is wrong", () => {
    expect(corrections("1HGCM82633A")).toEqual([]);
    expect(corrections("1HGCM82633A00435Ж")).toEqual([]);
    expect(corrections("I".repeat(5_000))).toEqual([]);
  });

  it("are few, and soon found, for the worst text", () => {
    expect(corrections("OOOOOOOOOOOOOOOOO").length).toBeLessThanOrEqual(24);
    expect(corrections("QQQQQQQQQQQQQQQQQQ").length).toBeLessThanOrEqual(24);
  });
});
