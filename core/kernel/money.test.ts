import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costMicros, dollarsToMicros, microsToAmount, microsToDollars } from "./money.ts";

describe("money", () => {
  it.each([
    [0, "0.000000"],
    [1, "0.000001"],
    [1_250, "0.001250"],
    [25_000_000, "25.000000"],
    [-1_500_000, "-1.500000"],
  ])("%i micro-dollars are %s", (micros, dollars) => {
    expect(microsToDollars(micros)).toBe(dollars);
  });

  it.each([
    [0, "0.00"],
    [25_000_000, "25.00"],
    [100_000_000, "100.00"],
    [1_250, "0.00125"],
    [500_000, "0.50"],
    [-1_500_000, "-1.50"],
    [999_999_999_999_999, "999999999.999999"],
  ])("an amount of %i micro-dollars is written %s", (micros, amount) => {
    expect(microsToAmount(micros)).toBe(amount);
  });

  it.each([
    ["0.15", 150_000],
    ["25.00", 25_000_000],
    ["3", 3_000_000],
    ["999999999.999999", 999_999_999_999_999],
  ])("%s is %i micro-dollars", (dollars, micros) => {
    expect(dollarsToMicros(dollars)).toBe(micros);
  });

  it.each([
    "",
    ".5",
    "1.",
    "-1",
    "+1",
    "1e3",
    "0x10",
    "1,5",
    "1.0000001",
    "1234567890",
    " 1",
    "NaN",
  ])("%j is no amount", (text) => {
    expect(dollarsToMicros(text)).toBeNull();
  });

  it("survives the way to the edge and back", () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999_999_999 }), (micros) => {
        expect(dollarsToMicros(microsToDollars(micros))).toBe(micros);
      }),
    );
  });

  it("rounds the cost of a request up, so that nothing priced is free", () => {
    const prices = { inputPerMillionMicros: 150_000, outputPerMillionMicros: 600_000 };
    expect(costMicros({ input: 1, output: 0 }, prices)).toBe(1);
    expect(costMicros({ input: 1_000_000, output: 1_000_000 }, prices)).toBe(750_000);
    expect(costMicros({ input: 0, output: 0 }, prices)).toBe(0);
  });
});
