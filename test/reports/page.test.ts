import { describe, expect, it } from "vitest";
import { MOST_PAGE_ROWS, writePage } from "#core/reports/page/write-page.ts";
import { writeJson } from "#core/reports/write-json.ts";
import { exampleReport } from "./example-report.ts";

/** Text in every place of a report where somebody's own words may stand. */
function withTextEverywhere(text: string) {
  const report = exampleReport();
  report.cover.title = text;
  report.cover.team = text;
  report.cover.scope = text;
  report.summary = [text];
  for (const group of report.keyFigures)
    for (const figure of group.figures) {
      figure.label = text;
      figure.benchmark = { value: 1, source: text };
    }
  for (const chart of report.charts) {
    chart.title = text;
    for (const series of chart.series) series.label = text;
    if (chart.categoryKind === "text") chart.categories = chart.categories.map(() => text);
  }
  report.tables.byCampaign.title = text;
  report.tables.byCampaign.note = text;
  for (const row of report.tables.byCampaign.rows) row[0] = text;
  for (const movement of report.movements) {
    movement.title = text;
    movement.sentences = [text];
  }
  report.benchmarks.sources = [{ name: text, period: text, url: text }];
  report.appendix = [{ title: text, sentences: [text] }];
  return report;
}

describe("a report as a page", () => {
  it("needs nothing besides itself, and runs nothing", () => {
    const page = writePage(exampleReport());
    expect(page).toMatch(/^<!doctype html>\s*<html lang="en" dir="ltr">/);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=/i);
    expect(page).toContain("default-src 'none'");
  });

  it("keeps a long figure on one line, is dark where its reader wants that, and is light on paper", () => {
    const report = exampleReport();
    const [group] = report.keyFigures;
    const [figure] = group?.figures ?? [];
    if (group === undefined || figure === undefined) throw new Error("There are figures.");
    group.currency = "IRR";
    figure.value = 2_937_780_222;
    const page = writePage(report);
    expect(page).toContain('<p class="value long"><bdi>IRR\u00a02,937,780,222</bdi>');
    expect(page).toContain('<p class="value"><bdi>3.19×</bdi>');
    expect(page).toContain("@media screen and (prefers-color-scheme:dark)");
  });

  it("lets its tables be scrolled by keyboard, each under its name", () => {
    const page = writePage(exampleReport());
    const tables = page.match(/<table>/g)?.length ?? 0;
    expect(page.match(/tabindex="0" role="region" aria-label="[^"]+"/g)).toHaveLength(tables);
    expect(page).toContain('aria-label="By campaign"');
  });

  it("is turned round in Persian", () => {
    const page = writePage(exampleReport({ language: "fa" }));
    expect(page).toContain('<html lang="fa" dir="rtl">');
    expect(page).toContain("۹ مهر ۱۴۰۵");
  });

  it("escapes whatever it is given, wherever it stands", () => {
    const hostile = `"><script>alert(1)</script><img src=x onerror='x'>\u0000&`;
    const page = writePage(withTextEverywhere(hostile));
    expect(page).not.toContain("<script");
    expect(page).not.toContain("<img");
    expect(page).not.toContain("\u0000");
    expect(page).not.toContain("onerror='");
    expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(20);
  });

  it("links to addresses of the web only", () => {
    const report = exampleReport();
    report.benchmarks.sources = [
      { name: "a", period: "2025", url: "javascript:alert(1)" },
      { name: "b", period: "2025", url: "https://b.example/" },
    ];
    const page = writePage(report);
    expect(page).not.toContain("javascript:");
    expect(page).toContain('href="https://b.example/"');
  });

  it("shows so many rows of a table, and says how many there are", () => {
    const page = writePage(exampleReport({ campaigns: 10_000 }));
    expect(page).toContain(`Campaign ${MOST_PAGE_ROWS}<`);
    expect(page).not.toContain(`Campaign ${MOST_PAGE_ROWS + 1}<`);
    expect(page).toContain("The first 2,000 of 10,000 rows.");
  });
});

describe("a report as JSON", () => {
  it("has amounts as decimal strings, other numbers as numbers, and null where there is no value", () => {
    const json = JSON.parse(writeJson(exampleReport()));
    expect(json.key_figures[0].figures[0]).toMatchObject({ metric: "spend", value: "53769.5" });
    expect(json.key_figures[0].figures[2]).toMatchObject({ metric: "roas", value: 3.19 });
    expect(json.key_figures[0].figures[5]).toMatchObject({ metric: "cvr", value: null });
    expect(json.tables.by_day.columns[3]).toMatchObject({ key: "spend", kind: "money" });
    expect(json.tables.by_day.rows[0][3]).toBe("1734.5");
    expect(json.tables.by_day.rows[11][5]).toBeNull();
    expect(json.charts[0].series[0].values[0]).toBe("1734.5");
    expect(json.cover.generated_at).toBe("2026-11-01T06:30:00.000Z");
  });

  it("says which column tells the currency of a row", () => {
    const report = exampleReport();
    report.tables.byCampaign.columns[0] = { key: "currency", label: "Currency", kind: "text" };
    report.tables.byCampaign.currency = { column: 0 };
    const json = JSON.parse(writeJson(report));
    expect(json.tables.by_campaign.currency).toEqual({ column: "currency" });
    expect(json.tables.by_day.currency).toEqual({ code: "USD" });
  });
});
