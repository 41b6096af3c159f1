import { describe, expect, it } from "vitest";
import { drawn } from "./pdf/visual-runs.ts";
import { NO_VALUE, ValueFormat } from "./value-format.ts";

const english = new ValueFormat("en");
const persian = new ValueFormat("fa");

describe("values in English", () => {
  it("writes amounts with their currency, and cents only where they say something", () => {
    expect(english.value(12.4, "money", "USD")).toBe("$12.40");
    expect(english.value(53_769.5, "money", "EUR")).toBe("€53,770");
    expect(english.value(12, "money", "XXX")).toBe("12.00");
    expect(english.value(12, "money", null)).toBe("12.00");
  });

  it("writes an amount in a currency that is none as a plain number", () => {
    expect(english.value(12.5, "money", "dollars")).toBe("12.5");
  });

  it("writes ratios in percent and multiples with their sign", () => {
    expect(english.value(0.0321, "ratio", null)).toBe("3.21%");
    expect(english.value(0.5, "ratio", null)).toBe("50.0%");
    expect(english.value(4.1, "multiple", null)).toBe("4.10×");
  });

  it("shows a dash, and no zero, where there is no value", () => {
    expect(english.value(null, "ratio", null)).toBe(NO_VALUE);
    expect(english.value(Number.NaN, "money", "USD")).toBe(NO_VALUE);
    expect(english.value(Number.POSITIVE_INFINITY, "count", null)).toBe(NO_VALUE);
    expect(english.value(0, "ratio", null)).toBe("0.00%");
    expect(english.value(null, "text", null)).toBe("");
  });

  it("puts no minus before what rounds to zero", () => {
    expect(english.value(-0.001, "money", "USD")).toBe("$0.00");
    expect(english.value(-0.0004, "multiple", null)).toBe("0.00×");
    expect(english.value(-0.01, "money", "USD")).toBe("-$0.01");
    expect(english.change(-0.0001)).toBe("0%");
  });

  it("writes changes with their sign", () => {
    expect(english.change(0.0728)).toBe("+7.3%");
    expect(english.change(-0.039)).toBe("-3.9%");
    expect(english.change(12.341)).toBe("+1,234%");
    expect(english.change(null)).toBeNull();
  });

  it("writes days, and leaves what is no day as it is", () => {
    expect(english.value("2026-10-01", "date", null)).toBe("1 Oct 2026");
    expect(english.value("Total", "date", null)).toBe("Total");
  });
});

describe("values in Persian", () => {
  it("writes Persian digits with their own separators", () => {
    expect(persian.count(1_234_567)).toBe("۱٬۲۳۴٬۵۶۷");
    expect(drawn(persian.value(12.4, "money", "USD"))).toBe("$۱۲٫۴۰");
    expect(persian.value(0.0321, "ratio", null)).toBe("۳٫۲۱٪");
    expect(persian.value(4.1, "multiple", null)).toBe("۴٫۱۰ برابر");
  });

  it("dates by the solar calendar, also at the turn of its year", () => {
    expect(persian.value("2026-10-01", "date", null)).toBe("۹ مهر ۱۴۰۵");
    expect(persian.value("2026-03-20", "date", null)).toBe("۲۹ اسفند ۱۴۰۴");
    expect(persian.value("2026-03-21", "date", null)).toBe("۱ فروردین ۱۴۰۵");
  });
});
