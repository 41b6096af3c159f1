import { describe, expect, it } from "vitest";
import { noDay, readDay } from "./read-day.ts";
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
    ["۲۰۲۶/۱۱/۲۱", "2026-11-21"],
    ["1405/08/30", "2026-11-21"],
    ["۱۴۰۵-۰۸-۳۰ ۱۲:۳۰", "2026-11-21"],
    ["\u200f١٤٠٥/٨/٣٠\u200f", "2026-11-21"],
    ["14050830", "2026-11-21"],
    ["30/08/1405", "2026-11-21"],
    ["1/2/1403", "2024-04-20"],
    ["۳۰ آبان ۱۴۰۵", "2026-11-21"],
    ["شنبه ۳۰ آبان ۱۴۰۵", "2026-11-21"],
    ["سه‌شنبه، ۱ دي ۱۴۰۴", "2025-12-22"],
    ["سه شنبه ۲ دی ۱۴۰۴", "2025-12-23"],
    ["30 Aban 1405", "2026-11-21"],
    ["مهر ۱۴۰۵", "2026-09-23"],
    ["1405/07", "2026-09-23"],
    ["۲۱ نوامبر ۲۰۲۶", "2026-11-21"],
    ["۱ ژوئیه ۲۰۲۶", "2026-07-01"],
    ["1403/12/30", "2025-03-20"],
    ["1404/12/30", null],
    ["1405/07/31", null],
    ["1405/13/01", null],
    ["1377/01/01", null],
    // 2024 by the lunar calendar, 2067 by the Persian one.
    ["1446/05/12", null],
    ["21 آبان 2026", null],
    ["2026-02-29", null],
    ["31.04.2026", null],
    ["1999-12-31", null],
    ["yesterday", null],
    ["--", null],
  ])("%j is %j", (text, day) => {
    expect(readDay(text, "dmy")).toBe(day);
  });

  it("is by the Persian calendar what Intl says, each of forty years", () => {
    const persian = new Intl.DateTimeFormat("fa-u-ca-persian", {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      timeZone: "UTC",
    });
    const end = Date.UTC(2040, 0, 1);
    for (let time = Date.UTC(2000, 0, 1); time < end; time += 86_400_000) {
      const day = new Date(time);
      expect([persian.format(day), readDay(persian.format(day), "mdy")]).toEqual([
        persian.format(day),
        day.toISOString().slice(0, 10),
      ]);
    }
  });

  it.each([
    ["13/25/2026", "“13/25/2026” is no day"],
    [
      "03/25/2026",
      "“03/25/2026” is no day as day/month/year, which this file's others are; is it day_order mdy?",
    ],
    ["1999-12-31", "“1999-12-31” is no day between 2000 and 2099"],
    [
      "1446/05/12",
      "“1446/05/12” is no day: 1446 may be a year of the Persian or of the lunar calendar; write it by the Gregorian one",
    ],
    ["yesterday", "“yesterday” is no day"],
  ])("says of %s why it is none", (text, why) => {
    expect(noDay(text, "dmy")).toBe(why);
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
    ["۱٬۲۳۴٫۵", ",", 1_234_500_000],
    ["۱،۲۳۴", ".", 1_234_000_000],
    ["\u200e١٢٫٥\u200e", ".", 12_500_000],
    ["۱۲٬۰۰۰ تومان", ".", 12_000_000_000],
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
    ["۱,۲۳۴.۵", "."],
    ["۱٬۲۳۴٫۵", null],
  ] as const)("%j tells that the mark is %j", (text, mark) => {
    expect(markTold(text)).toBe(mark);
  });
});
