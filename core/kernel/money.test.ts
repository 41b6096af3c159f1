import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costMicros, dollarsToMicros, microsToAmount, microsToDollars } from "./money.ts";

describe("the price of a request", () => {
  const plain = { inputPerMillionMicros: 3_000_000, outputPerMillionMicros: 15_000_000 };
  const priced = {
    ...plain,
    cachedInputPerMillionMicros: 300_000,
    cacheWritePerMillionMicros: 3_750_000,
    cacheWrite1hPerMillionMicros: 6_000_000,
  };
  const tokens = { input: 10_000, output: 100, cachedInput: 5_000, cacheWrite: 3_000 };

  it("is that of each part of the input", () => {
    expect(costMicros(tokens, priced)).toBe(2_000 * 3 + 5_000 * 0.3 + 3_000 * 3.75 + 1_500);
    expect(costMicros({ ...tokens, cacheWrite1h: 1_000 }, priced)).toBe(
      2_000 * 3 + 5_000 * 0.3 + 2_000 * 3.75 + 1_000 * 6 + 1_500,
    );
  });

  it("is that of plain input where the cache has no price, and of writing where an hour has none", () => {
    const long = { ...tokens, cacheWrite1h: 1_000 };
    expect(costMicros(long, plain)).toBe(10_000 * 3 + 1_500);
    const { cacheWrite1hPerMillionMicros: _, ...withoutHour } = priced;
    expect(costMicros(long, withoutHour)).toBe(costMicros(tokens, priced));
  });
});

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
