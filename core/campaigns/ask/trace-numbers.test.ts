import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../jobs/job-type.ts";
import { readNumerals } from "./numerals.ts";
import type { Source } from "./source-numbers.ts";
import { REMOVED, traceNumbers } from "./trace-numbers.ts";

const source = (result: Json, args: Source["arguments"] = {}): Source => ({
  id: "q1",
  tool: "campaign_metrics",
  arguments: args,
  result,
});
const METRICS = source(
  {
    period: { from: "2026-11-08", to: "2026-11-14" },
    totals: [
      {
        currency: "USD",
        clicks: 12_345,
        spend: "1234.56",
        ctr: 0.0324,
        cpa: "12.40",
        roas: 2.5,
        previous: { clicks: 10_000, spend: "1000.00", cpa: "10.00" },
        change: { clicks: 0.2345, spend: 0.23456 },
      },
    ],
    data: [{ campaign: "Q4 2025 push 20% off" }, { campaign: "Brand" }],
  },
  { from: "2026-11-08", to: "2026-11-14", limit: 5 },
);
const trace = (answer: string, ...sources: Source[]) =>
  traceNumbers(answer, sources.length > 0 ? sources : [METRICS]);
const removedOf = (answer: string, ...sources: Source[]) =>
  trace(answer, ...sources).removed.map(({ text }) => text);

describe("numbers that a query gave stay", () => {
  it.each([
    "1,234.56 USD",
    "1.234,56 USD",
    "1 234.56",
    "1'234.56",
    "$1,235",
    "1235",
    "1.2k",
    "1.23 thousand",
    "12,345 clicks",
    "12k clicks",
    "12.3k",
    "a CTR of 3.24%",
    "3.2 %",
    "3.2 percent",
    "0.0324",
    "۳٫۲۴٪",
    "۱۲٬۳۴۵ کلیک",
    "۱۲ هزار کلیک",
    "٣٫٢٤٪",
    "३.२४%",
    "up 23.5%",
    "-23.45%",
    "ROAS 2.5",
    "a ROAS of 250%",
    "2026-11-08",
    "November 8, 2026",
    "8 Nov",
    "Nov 8",
    "in November 2026",
    "in 2026",
    "over 7 days",
    "the top 5",
    "the two campaigns",
    "twelve thousand three hundred and forty five clicks",
    "“Q4 2025 push 20% off” did well",
    "**Q4 2025 push 20% off**",
  ])("%s", (answer) => {
    const result = trace(answer);
    expect(result.removed).toEqual([]);
    expect(result.text).toBe(answer);
  });
});

describe("numbers that no query gave are removed", () => {
  it.each([
    ["1,334.56 USD", "1,334.56"],
    ["13k clicks", "13k"],
    ["a CTR of 3.4%", "3.4%"],
    ["۳٫۴٪", "۳٫۴٪"],
    ["3.24 million", "3.24 million"],
    ["12,345%", "12,345%"],
    ["in 2025", "2025"],
    ["2026-12-08", "2026-12-08"],
    ["March 3", "March 3"],
    ["eleven campaigns", "eleven"],
    ["nine million dollars", "nine million"],
    ["دو میلیون دلار", "دو میلیون"],
    ["it doubled", "doubled"],
    ["½ of it", "½"],
    ["x² and Ⅳ", "²"],
    ["1e6", "1e6"],
    ["𝟗𝟗", "𝟗𝟗"],
    ["1\u200b9\u20609", "1\u200b9\u20609"],
    ["Q4 2025 push 20% off, unquoted", "20%"],
    ["a ROAS of 2", "2"],
  ])("%s", (answer, gone) => {
    const { removed, text } = trace(answer);
    expect(removed.map((one) => one.text)).toContain(gone);
    expect(text).toContain(REMOVED);
    expect(text).not.toContain(gone);
  });

  it("also where only the question has them, and where a name looks like one", () => {
    const named = source({ data: [{ campaign: "9999999", spend: "5.00" }] }, { search: "777" });
    expect(removedOf("It made 9,999,999 and 777", named)).toEqual(["9,999,999", "777"]);
    expect(removedOf("Campaign “9999999” cost 5.00", named)).toEqual([]);
    const boast = source({ data: [{ campaign: "Revenue was 5,000,000", spend: "5.00" }] });
    expect(removedOf("Revenue was 5,000,000", boast)).toEqual(["5,000,000"]);
  });

  it("all of them, where no query was made", () => {
    expect(trace("You spent 10 dollars on 3 ads.", source({})).text).toBe(
      "You spent […] dollars on […] ads.",
    );
    expect(traceNumbers("Spend was 7.", []).removed).toHaveLength(1);
  });
});

describe("numbers that follow from two others", () => {
  it.each([
    ["Spend went from 1,000.00 to 1,234.56, which is 23.5% more.", "23.5%"],
    ["CPA rose from 10.00 to 12.40, by 24%.", "24%"],
    ["CPA rose from 10.00 to 12.40, by 2.40.", "2.40"],
    ["هزینهٔ هر تبدیل از ۱۰٫۰۰ به ۱۲٫۴۰ رسید، ۲۴٪ بیشتر", "۲۴٪"],
  ])("stay, and say how: %s", (answer, derived) => {
    const { removed, numbers } = trace(answer);
    expect(removed).toEqual([]);
    expect(numbers.find(({ text }) => text === derived)?.from).toMatch(/q1\.|change/);
  });

  it("are removed where they do not, where the two are of different metrics, or stand elsewhere", () => {
    expect(removedOf("CPA rose from 10.00 to 12.40, by 42%.")).toEqual(["42%"]);
    expect(removedOf("With 12,345 clicks and 1,234.56 spent, that is 99555.")).toEqual(["99555"]);
    expect(removedOf("CPA rose from 10.00 to 12.40.\nThat is 24%.")).toEqual(["24%"]);
  });

  it("may be a factor in a word", () => {
    const grown = source({
      totals: [{ clicks: 20, previous: { clicks: 10 }, change: { clicks: 1 } }],
    });
    expect(removedOf("Clicks doubled.", grown)).toEqual([]);
    expect(removedOf("Clicks tripled.", grown)).toEqual(["tripled"]);
  });
});

it("takes a number for the metric that is named behind it, and for no other", () => {
  const rows = source({
    data: [{ clicks: 700, conversions: 40, revenue: "700.00", previous: { clicks: 40 } }],
  });
  expect(trace("700 clicks and 700 of revenue", rows).numbers.map(({ from }) => from)).toEqual([
    "result.data[0].clicks",
    "result.data[0].revenue",
  ]);
  expect(trace("clicks were 40 before", rows).numbers[0]?.from).toBe(
    "result.data[0].previous.clicks",
  );
  expect(removedOf("700 conversions", rows)).toEqual(["700"]);
  expect(removedOf("۷۰۰ تبدیل", rows)).toEqual(["۷۰۰"]);
});

it("says for each number which query it is of, and where there", () => {
  expect(trace("Spend was 1,234.56.").numbers).toEqual([
    { text: "1,234.56", source: "q1", from: "result.totals[0].spend" },
  ]);
});

it("finds every number that is written, in whatever digits, and leaves the rest as it is", () => {
  const digits = ["0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９"];
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 1e12 }),
      fc.constantFrom(...digits),
      fc.stringMatching(/^[a-z ]{0,10}[a-z] $/),
      (number, script, before) => {
        const written = [...String(number)].map((digit) => [...script][Number(digit)]).join("");
        const answer = `${before}${written} usd`;
        const isKnown = trace(answer, source({ data: [{ spend: String(number) }] }));
        expect(isKnown.removed.filter(({ text }) => text === written)).toEqual([]);
        expect(trace(answer, source({})).text).not.toContain(written);
      },
    ),
    { numRuns: 500 },
  );
});

it("leaves no digit behind that is in no source, whatever a model writes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (answer) => {
      const { text } = traceNumbers(answer, []);
      expect(text.replaceAll(REMOVED, "")).not.toMatch(/[\p{Nd}\p{No}\p{Nl}]/u);
    }),
    { numRuns: 2_000 },
  );
});

it("reads numbers within words and signs too", () => {
  expect(readNumerals("a1b2, v3.14! #5").map(({ text }) => text)).toEqual(["1", "2", "3.14", "5"]);
});
