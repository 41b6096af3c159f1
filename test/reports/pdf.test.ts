import { extractText, getDocumentProxy } from "unpdf";
import { beforeAll, describe, expect, it } from "vitest";
import { type PdfFonts, writePdf } from "#core/reports/pdf/write-pdf.ts";
import type { Report } from "#core/reports/report.ts";
import { exampleReport } from "./example-report.ts";
import { reportFonts } from "./report-fonts.ts";

let fonts: PdfFonts;
beforeAll(() => {
  fonts = reportFonts();
});

/** The text of each page, as a program that reads PDFs finds it. */
async function pagesOf(report: Report): Promise<{ pages: string[]; bytes: Uint8Array }> {
  const { bytes } = await writePdf(report, fonts);
  const document = await getDocumentProxy(new Uint8Array(bytes));
  const { text } = await extractText(document, { mergePages: false });
  return { pages: text, bytes };
}

describe("a report as PDF", () => {
  it("says what the report says: title, sentences, figures, tables, sources", async () => {
    const { pages } = await pagesOf(exampleReport());
    const text = pages.join("\n").replace(/\s+/g, " ");
    expect(pages).toHaveLength(5);
    for (const part of [
      "Campaign report for October 2026",
      "Acme Outdoor GmbH",
      "Each dollar brought 3.19 dollars of revenue; in September it was 2.99.",
      "$53,770",
      "+14.5%",
      "Retargeting | cart abandoners [30d]",
      "LinkedIn ABM <Tier 1> & partners",
      "https://benchmarks.example/2025",
      "How figures are made",
    ])
      expect(text).toContain(part);
  });

  it("numbers its pages, in the digits of its language", async () => {
    const english = await pagesOf(exampleReport());
    expect(english.pages[1]).toContain("2 of 5");
    expect(english.pages[4]).toContain("5 of 5");
    const persian = await pagesOf(exampleReport({ language: "fa" }));
    expect(persian.pages[2]).toContain("۳ از ۵");
  });

  it("brings its fonts along, cut down to the letters that are used", async () => {
    const { bytes } = await pagesOf(exampleReport({ language: "fa" }));
    const file = new TextDecoder("latin1").decode(bytes);
    // One of the campaigns has a rocket in its name.
    expect(file.match(/\/FontFile2 /g)).toHaveLength(3);
    expect(file).toMatch(/\/BaseFont \/[A-Z]{6}\+Vazirmatn-Regular/);
    expect(file).toMatch(/\/BaseFont \/[A-Z]{6}\+NotoEmoji/);
    expect(file).not.toContain("/Helvetica");
    // Two whole fonts would be 250 KB.
    expect(bytes.length).toBeLessThan(80_000);
  });

  it("can be searched for Persian words, ligatures included", async () => {
    const { pages } = await pagesOf(exampleReport({ language: "fa" }));
    const text = pages.join("\n");
    for (const part of [
      "خلاصه",
      "به تفکیک پلتفرم",
      "دلار",
      "۵۳٬۷۷۰",
      "فروش",
      "۹ مهر ۱۴۰۵",
      "CTR 3.2%",
    ])
      expect(text).toContain(part);
  });

  it("repeats the head of a table of 10,000 rows on every page, and shows its last row", async () => {
    const { pages } = await pagesOf(exampleReport({ campaigns: 10_000 }));
    const ofTable = pages.filter((page) => /Campaign [5-9]\d{3}\b/.test(page));
    expect(ofTable.length).toBeGreaterThan(100);
    for (const page of ofTable) expect(page).toContain("Impressions");
    expect(pages.join("\n")).toContain("Campaign 10000");
  }, 60_000);

  it("says how many rows a longer table has left out", async () => {
    const report = exampleReport({ campaigns: 10_001 });
    const { pages } = await pagesOf(report);
    expect(pages.join("\n")).toContain("The first 10,000 of 10,001 rows.");
  }, 60_000);

  it("is a whole report where nothing was measured", async () => {
    const { pages } = await pagesOf(emptyReport());
    expect(pages.join("\n")).toContain("There is no data in this period.");
  });

  it("writes amounts short where they would stand over each other, and without a sign where a column names it", async () => {
    const report = exampleReport();
    const table = report.tables.byCampaign;
    table.columns.splice(1, 0, { key: "currency", label: "Currency", kind: "text" });
    table.currency = { column: 1 };
    table.rows = [
      ["Narrow", "IRR", 1_234, 12, 49_000_000, 1, 98_000_000, 0.01, 1, 2],
      ["Rial", "IRR", 1_234, 12, 42_049_207, 1, 137_780_222, 0.01, 1, 2],
    ];
    const narrow = (await pagesOf(report)).pages.join("\n");
    for (const amount of ["49,000,000", "137,780,222"]) expect(narrow).toContain(amount);
    expect(narrow).not.toContain("IRR 49");
    const wide = Array.from({ length: 8 }, (_, index) => 9.87e14 * (index + 1));
    table.rows = [["Wide", "IRR", ...wide]];
    table.columns.forEach((column, index) => {
      if (index > 1) column.kind = "money";
    });
    const short = (await pagesOf(report)).pages.join("\n");
    expect(short).toContain("987T");
    expect(short).not.toContain("987,000,000,000,000");
  });

  it("draws names of any length and of any characters", async () => {
    const report = exampleReport();
    report.cover.title = `${"Very long title ".repeat(60)}${"x".repeat(5_000)}`;
    report.cover.team = "\ud83d Team \u0000 \u202e👩‍👩‍👧 漢字";
    report.tables.byCampaign.rows = [
      ["😀".repeat(3_000), 1, 1, 1, 1, 1, 1, 1, 1],
      ["ن".repeat(20_000), 1, 1, 1, 1, 1, 1, 1, 1],
      ["", null, null, null, null, null, null, null, null],
      ["a\nb\tc", 1e15, -1e15, 9e12, 1e-9, -3, -0.5, 0, Number.NaN],
    ];
    report.summary = [`${"word ".repeat(3_000)}`, "", "y".repeat(4_000)];
    const { pages } = await pagesOf(report);
    expect(pages.length).toBeGreaterThan(5);
  }, 30_000);

  it("keeps what one report draws out of the next", async () => {
    const first = await writePdf(exampleReport(), fonts);
    await writePdf(exampleReport({ language: "fa" }), fonts);
    const again = await writePdf(exampleReport(), fonts);
    expect(again.bytes.length).toBe(first.bytes.length);
  });
});

function emptyReport(): Report {
  const report = exampleReport({ days: 1, campaigns: 0 });
  const { byDay, byPlatform, byCampaign } = report.tables;
  for (const table of [byDay, byPlatform, byCampaign])
    Object.assign(table, { rows: [], totals: [] });
  return {
    ...report,
    summary: ["There is no data in this period."],
    keyFigures: [],
    charts: [],
    movements: [],
    benchmarks: { table: { ...report.benchmarks.table, rows: [] }, sources: [], sentences: [] },
  };
}
