import { describe, expect, it } from "vitest";
import { readDay } from "./read-day.ts";
import { markTold, readNumber } from "./read-number.ts";

describe("a day", () => {
  it.each([
    ["2026-11-21", "2026-11-21"],
    ["2026/1/2", "2026-01-02"],
    ["2026-11-21T23:30:00-08:00", "2026-11-21"],
    ["20261121", "2026-11-21"],
    ["21.11.2026", "2026-11-21"],
    ["21. 11. 26", "2026-11-21"],
    ["3/4/26", "2026-04-03"],
    ["Nov 21, 2026", "2026-11-21"],
    ["Sat, Nov 21, 2026", "2026-11-21"],
    ["21 November 2026", "2026-11-21"],
    ["21-Nov-26", "2026-11-21"],
    ["1. März 2026", "2026-03-01"],
    ["12 août 2026", "2026-08-12"],
    ["3 de diciembre de 2026", "2026-12-03"],
    ["2026-11", "2026-11-01"],
    ["46347", "2026-11-21"],
    ["2026-02-29", null],
    ["31.04.2026", null],
    ["1999-12-31", null],
    ["yesterday", null],
    ["--", null],
  ])("%j is %j", (text, day) => {
    expect(readDay(text, "dmy")).toBe(day);
  });

  it("goes by the order where only that tells", () => {
    expect(readDay("03/04/2026", "mdy")).toBe("2026-03-04");
    expect(readDay("03/04/2026", "dmy")).toBe("2026-04-03");
    expect(readDay(new Date("2026-11-21T10:00:00Z"), "dmy")).toBe("2026-11-21");
  });
});

describe("a number", () => {
  const micros = (text: string | number, mark: "." | "," = ".") =>
    readNumber(text, mark, 1_000_000);
  it.each([
    ["1,234.56", ".", 1_234_560_000],
    ["1.234,56", ",", 1_234_560_000],
    ["1 234,5", ",", 1_234_500_000],
    ["1’234.50", ".", 1_234_500_000],
    ["12,34,567.8", ".", 1_234_567_800_000],
    ["$1,000", ".", 1_000_000_000],
    ["12 €", ",", 12_000_000],
    ["EUR 7.5", ".", 7_500_000],
    ["-0.5", ".", -500_000],
    ["(3.25)", ".", -3_250_000],
    ["5.2%", ".", 52_000],
    ["1.5E3", ".", 1_500_000_000],
    ["۱۲٫۵", ".", 12_500_000],
    ["0.0000005", ".", 1],
    ["9007199254.740993", ".", "9007199254740993"],
    ["", ".", null],
    [" --", ".", null],
    ["n/a", ".", null],
    ["1,23", ".", undefined],
    ["1.2.3", ".", undefined],
    ["abc", ".", undefined],
    ["12abc", ".", undefined],
    ["12,50 zł", ",", 12_500_000],
    ["12.50USD", ".", 12_500_000],
  ] as const)("%s, decimal mark %s", (text, mark, expected) => {
    const found = micros(text, mark);
    expect(typeof found === "bigint" ? String(found) : found).toBe(expected);
  });

  it("is as exact from a workbook as it was typed", () => {
    expect(micros(0.1)).toBe(100_000);
    expect(micros(1234.56)).toBe(1_234_560_000);
    expect(micros(1e-7)).toBe(0);
    expect(readNumber(12.5, ".", 1)).toBe(13);
  });

  it.each([
    ["1,234.5", "."],
    ["1.234,5", ","],
    ["0,5", ","],
    ["1.5", "."],
    ["1.234.567", ","],
    ["1,234", null],
    ["1.234", null],
    ["0.123", "."],
    ["12", null],
    ["12,50 €", ","],
  ] as const)("%j tells that the mark is %j", (text, mark) => {
    expect(markTold(text)).toBe(mark);
  });
});
