import ExcelJs from "exceljs";
import { readXlsx } from "hucre/xlsx";
import { describe, expect, it } from "vitest";
import type { Report, Table } from "#core/reports/report.ts";
import { writeXlsx } from "#core/reports/xlsx/write-xlsx.ts";
import { bytesSource } from "#core/tables/byte-source.ts";
import { inflateText } from "#core/tables/xlsx/inflate-entry.ts";
import { readZipDirectory } from "#core/tables/xlsx/zip-directory.ts";
import { exampleReport } from "./example-report.ts";

async function bytesOf(report: Report): Promise<Uint8Array> {
  return new Uint8Array(await new Response(writeXlsx(report)).arrayBuffer());
}

/** The parts of a workbook that are charts. */
async function chartFiles(bytes: Uint8Array): Promise<string[]> {
  const source = bytesSource(bytes);
  const parts = [...(await readZipDirectory(source))].filter(([name]) =>
    /charts\/chart/.test(name),
  );
  return Promise.all(parts.map(([, entry]) => inflateText(source, entry, 1_000_000)));
}

async function workbookOf(report: Report): Promise<ExcelJs.Workbook> {
  const workbook = new ExcelJs.Workbook();
  const bytes = await bytesOf(report);
  await workbook.xlsx.load(bytes.buffer as ArrayBuffer); // made by Response, so not shared
  return workbook;
}

function sheet(workbook: ExcelJs.Workbook, name: string): ExcelJs.Worksheet {
  const found = workbook.getWorksheet(name);
  if (found === undefined) throw new Error(`There is no sheet ${name}.`);
  return found;
}

/** What a table's cells must hold, as exceljs gives it. */
function expectTable(worksheet: ExcelJs.Worksheet, table: Table): void {
  const rows = [...table.rows, ...table.totals];
  expect(worksheet.rowCount).toBe(rows.length + 1);
  for (const [index, row] of rows.entries()) {
    for (const [column, { kind }] of table.columns.entries()) {
      const { value } = worksheet.getRow(index + 2).getCell(column + 1);
      const wanted = row[column] ?? null;
      if (kind === "date" && typeof wanted === "string")
        expect(value).toEqual(new Date(`${wanted}T00:00:00Z`));
      else expect(value).toBe(wanted);
    }
  }
}

describe("a report as an Excel workbook", () => {
  it("has a sheet each for summary, days, platforms, campaigns, what moved, benchmarks and appendix", async () => {
    const workbook = await workbookOf(exampleReport());
    expect(workbook.worksheets.map(({ name }) => name)).toEqual([
      "Summary",
      "By day",
      "By platform",
      "By campaign",
      "What moved",
      "Benchmarks",
      "Appendix",
      "Chart data",
    ]);
  });

  it("holds the report's values as real numbers and dates, and nothing where there is no value", async () => {
    const report = exampleReport();
    const workbook = await workbookOf(report);
    expectTable(sheet(workbook, "By day"), report.tables.byDay);
    expectTable(sheet(workbook, "By platform"), report.tables.byPlatform);
    expectTable(sheet(workbook, "By campaign"), report.tables.byCampaign);
  });

  it("formats each number as what it is", async () => {
    const worksheet = sheet(await workbookOf(exampleReport()), "By day");
    const formats = [1, 2, 4, 5, 7, 9].map((column) => worksheet.getRow(2).getCell(column).numFmt);
    expect(formats).toEqual([
      "yyyy-mm-dd",
      "#,##0",
      "#,##0.00 [$USD]",
      "#,##0.00",
      "0.00%",
      '0.00"×"',
    ]);
  });

  it("gives each row the currency that it has", async () => {
    const report = exampleReport();
    const table = report.tables.byCampaign;
    table.columns.push({ key: "currency", label: "Currency", kind: "text" });
    const at = table.columns.length - 1;
    table.rows = table.rows
      .slice(0, 3)
      .map((row, index) => [...row, ["USD", "EUR", "XXX"][index] ?? null]);
    table.currency = { column: at };
    const worksheet = sheet(await workbookOf(report), "By campaign");
    const formats = [2, 3, 4].map((row) => worksheet.getRow(row).getCell(4).numFmt);
    expect(formats).toEqual(["#,##0.00 [$USD]", "#,##0.00 [$EUR]", "#,##0.00"]);
  });

  it("keeps the head in sight, lets rows be filtered, and makes columns wide enough", async () => {
    const worksheet = sheet(await workbookOf(exampleReport()), "By campaign");
    expect(worksheet.views[0]).toMatchObject({ state: "frozen", ySplit: 1 });
    expect(worksheet.autoFilter).toBe("A1:I15");
    expect(worksheet.getColumn(1).width).toBeGreaterThan(40);
  });

  it("is read from right to left in Persian, with the days as Persian readers write them beside the real ones", async () => {
    const workbook = await workbookOf(exampleReport({ language: "fa" }));
    for (const worksheet of workbook.worksheets)
      expect(worksheet.views[0]).toMatchObject({ rightToLeft: true });
    const summary = workbook.worksheets[0];
    // Title, a fact, and a sentence: Excel would begin those that begin with a number or a Latin letter at their left.
    const orders = ["A1", "B3", "A9"].map((cell) => summary?.getCell(cell).alignment?.readingOrder);
    expect(orders).toEqual(["rtl", "rtl", "rtl"]);
    const days = sheet(workbook, "به تفکیک روز");
    expect(days.getCell("A2").value).toEqual(new Date("2026-10-01T00:00:00Z"));
    expect(days.getCell("B2").value).toBe("۹ مهر ۱۴۰۵");
  });

  it("has charts of Excel's own, which show the cells of the chart data", async () => {
    const report = exampleReport();
    const workbook = await readXlsx(await bytesOf(report));
    const [first] = workbook.sheets;
    expect(first?.charts).toHaveLength(2);
    const [lines, bars] = first?.charts ?? [];
    expect(JSON.stringify(lines)).toContain("'Chart data'!$B$3:$B$33");
    expect(JSON.stringify(bars)).toContain("'Chart data'!$F$3:$F$6");
    const data = sheet(await workbookOf(report), "Chart data");
    expect(data.getCell("A3").value).toEqual(new Date("2026-10-01T00:00:00Z"));
    expect(data.getCell("B3").value).toBe(report.charts[0]?.series[0]?.values[0]);
    expect(data.getCell("C14").value).toBeNull();
    expect(data.getCell("F3").value).toBe(4.21);
  });

  it("begins the axes of its charts at zero, so that bars are as long as their values", async () => {
    const report = exampleReport();
    const axes = async () =>
      (await chartFiles(await bytesOf(report))).map((xml) => xml.includes('<c:min val="0"/>'));
    expect(await axes()).toEqual([true, true]);
    report.charts[1]?.series[0]?.values.splice(0, 1, -1);
    expect(await axes()).toEqual([true, false]);
  });

  it("takes texts as texts, whatever they look like", async () => {
    const report = exampleReport();
    const texts = [
      "=1+1",
      "@SUM(A1)",
      "_x0041_",
      '<b>&amp;</b> "quoted"',
      "tab\tline\nbreak",
      "\u0000\u0007bell",
      "😀 نوروز",
      "x".repeat(40_000),
    ];
    report.tables.byCampaign.rows = texts.map((text) => [text, 1, 1, 1, 1, 1, 1, 1, 1]);
    const worksheet = sheet(await workbookOf(report), "By campaign");
    const read = texts.map((_, index) => worksheet.getRow(index + 2).getCell(1).value);
    expect(read.slice(0, 2)).toEqual(["=1+1", "@SUM(A1)"]);
    expect(read.slice(3, 7)).toEqual([texts[3], texts[4], "bell", texts[6]]);
    expect(read[7]).toHaveLength(32_767);
    const { sheets } = await readXlsx(await bytesOf(report));
    expect(sheets.find(({ name }) => name === "By campaign")?.rows[3]?.[0]).toBe("_x0041_");
  });

  it("finds names for sheets whose titles Excel does not take", async () => {
    const report = exampleReport();
    report.tables.byDay.title = "a/b:c*[d]?";
    report.tables.byPlatform.title = "Summary";
    report.tables.byCampaign.title = "t".repeat(80);
    const workbook = await workbookOf(report);
    const names = workbook.worksheets.map(({ name }) => name);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[^[\]:*?/\\]{1,31}$/);
  });

  it("is a workbook where nothing was measured", async () => {
    const report = exampleReport({ days: 0, campaigns: 0 });
    const workbook = await workbookOf({ ...report, charts: [], keyFigures: [], movements: [] });
    expect(sheet(workbook, "By day").rowCount).toBe(1);
  });

  it("streams 100,000 rows without keeping them", async () => {
    const report = exampleReport({ days: 100_000 });
    let first = 0;
    let size = 0;
    for await (const bytes of writeXlsx(report)) {
      first ||= bytes.length;
      size += bytes.length;
    }
    expect(first).toBeLessThan(100_000);
    expect(size).toBeGreaterThan(1_000_000);
  }, 60_000);

  it("stops writing when nobody reads on", async () => {
    const reader = writeXlsx(exampleReport({ days: 50_000 })).getReader();
    await reader.read();
    await reader.cancel();
    await expect(reader.read()).resolves.toEqual({ done: true, value: undefined });
  });

  it("ends with an error, not with half a file, when its rows cannot be had", async () => {
    const report = exampleReport();
    Object.defineProperty(report.tables.byCampaign, "totals", {
      get: () => {
        throw new Error("gone");
      },
    });
    await expect(bytesOf(report)).rejects.toThrow("gone");
  });
});
