import type { Report } from "../report.ts";
import { type ReportWords, reportWords } from "../words/report-words.ts";
import { SheetNames } from "./sheet-names.ts";
import { Styles } from "./styles.ts";
import { type SheetPart, stackedSheet } from "./stacked-sheet.ts";
import { chartDataSheet, summarySheet } from "./summary-sheet.ts";
import { tableSheet, withLocalDays } from "./table-sheet.ts";
import { streamWorkbook } from "./workbook.ts";

/**
 * A report as an Excel workbook: a sheet each for the summary with its charts, the days, platforms and campaigns, what
 * moved, the benchmarks and the appendix.
 * @returns the file as a stream; its rows are written as it is read
 */
export function writeXlsx(report: Report): ReadableStream<Uint8Array> {
  const words = reportWords(report.language);
  const styles = new Styles(report.direction === "rtl");
  const names = new SheetNames();
  const { byDay, byPlatform, byCampaign } = report.tables;
  const summary = names.next(words.summary);
  const tables = [byDay, byPlatform, byCampaign].map((table) => {
    const shown = report.language === "fa" ? withLocalDays(table, words.localDay) : table;
    return tableSheet(names.next(table.title), shown, styles);
  });
  const stacked = (title: string, parts: readonly SheetPart[]) =>
    parts.length === 0 ? [] : [stackedSheet(names.next(title), parts, styles)];
  const moved = stacked(words.whatMoved, report.movements);
  const benchmarks = stacked(words.benchmarks, benchmarkParts(report, words));
  const appendix = stacked(words.appendix, report.appendix);
  const chartData = names.next(words.chartData);
  const first = summarySheet(summary, report, { styles, words, chartData });
  return streamWorkbook({
    title: report.cover.title,
    author: report.cover.team,
    createdAt: report.cover.generatedAt,
    rightToLeft: report.direction === "rtl",
    sheets: [
      first,
      ...tables,
      ...moved,
      ...benchmarks,
      ...appendix,
      ...(report.charts.length > 0 ? [chartDataSheet(chartData, report.charts, styles)] : []),
    ],
    styles,
  });
}

function benchmarkParts({ benchmarks }: Report, words: ReportWords): SheetPart[] {
  const sources = benchmarks.sources.map(({ name, period, url }) =>
    [name, period, url ?? ""].filter((part) => part !== "").join(" · "),
  );
  return [
    { title: words.benchmarks, sentences: benchmarks.sentences, table: benchmarks.table },
    ...(sources.length === 0 ? [] : [{ title: words.sources, sentences: sources }]),
  ];
}
