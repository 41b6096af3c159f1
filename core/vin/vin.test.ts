import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkDigitOf, hasRightCheckDigit, normaliseVin, VIN_CHARACTERS } from "./vin.ts";

describe("the check digit", () => {
  it.each(["11111111111111111", "1M8GDM9AXKP042788", "1HGCM82633A004352", "5GZCZ43D13S812715"])(
    "of %s, which is known to be right, is right",
    (vin) => expect(hasRightCheckDigit(vin)).toBe(true),
  );

  it("is X where the rest is ten", () => {
    expect(checkDigitOf("1M8GDM9A0KP042788")).toBe("X");
  });

  it("tells each change of one position that weighs something, unless the characters count alike", () => {
    const vin = "1HGCM82633A004352";
    const unseen = [...vin].flatMap((character, at) =>
      [...VIN_CHARACTERS].filter(
        (other) =>
          at !== 8 &&
          other !== character &&
          hasRightCheckDigit(vin.slice(0, at) + other + vin.slice(at + 1)),
      ),
    );
    // Three characters at most count alike, so two others of 33 stay unseen at each of 16 positions, on average fewer.
    expect(unseen.length).toBeLessThan(2.6 * 16);
  });
});

describe("a VIN as it is typed", () => {
  it.each([
    ["1hgcm82633a004352", "1HGCM82633A004352"],
    [" 1HG CM826-33A.004352\n", "1HGCM82633A004352"],
    ["*1HGCM82633A004352*", "1HGCM82633A004352"],
    ["1HGCM82633A۰۰۴۳۵۲", "1HGCM82633A004352"],
    ["1HGCM82633A٠٠٤٣٥٢", "1HGCM82633A004352"],
    ["１ＨＧＣＭ８２６３３Ａ００４３５２", "1HGCM82633A004352"],
    ["1HGCM826\u200b33A\u2011004352", "1HGCM82633A004352"],
  ])("%j becomes %s", (typed, vin) => expect(normaliseVin(typed)).toBe(vin));

  it("stays as it is where it is plain, whatever stood between its characters", () => {
    const plain = fc.string({ unit: fc.constantFrom(...VIN_CHARACTERS), maxLength: 20 });
    const between = fc.string({
      unit: fc.constantFrom(..." -._*\t\n\u00a0\u200b\ufeff\u2013"),
      maxLength: 3,
    });
    fc.assert(
      fc.property(plain, between, (vin, noise) => {
        expect(normaliseVin([...vin].join(noise))).toBe(vin);
        expect(normaliseVin(noise + vin.toLowerCase() + noise)).toBe(vin);
      }),
    );
  });

  it("may be any text, half a character of two too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        expect(typeof normaliseVin(`${text}\ud83d`)).toBe("string");
      }),
    );
  });
});
