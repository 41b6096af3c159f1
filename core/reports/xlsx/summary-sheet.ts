import { coverFacts } from "../cover-facts.ts";
import type { Chart, KeyFigures, Report } from "../report.ts";
import { ValueFormat } from "../value-format.ts";
import type { ReportWords } from "../words/report-words.ts";
import { numberFormat, textCell, valueCell } from "./cells.ts";
import { chartXml } from "./chart-xml.ts";
import type { PlacedChart, Sheet } from "./sheet.ts";
import type { Styles } from "./styles.ts";
import { SheetWriter, TEXT_COLUMNS } from "./sheet-writer.ts";
import { columnName } from "../../tables/xlsx/write-xml.ts";

const CHART = { rows: 17, columns: 6 } as const;

/** Where a chart's values stand on the sheet of chart data. */
interface ChartPlace {
  column: number;
  headRow: number;
}

/** The first sheet: title, sentences, key figures, and the charts below them. */
export function summarySheet(
  name: string,
  report: Report,
  { styles, words, chartData }: { styles: Styles; words: ReportWords; chartData: string },
): Sheet {
  const writer = new SheetWriter(styles);
  writeCover(writer, report, words);
  writer.heading(words.summary);
  for (const sentence of report.summary) writer.paragraph(sentence, "wrapped");
  for (const group of report.keyFigures) writeFigures(writer, group, words);
  const charts = report.charts.map((chart, index): PlacedChart => {
    const row = writer.count + 1 + index * (CHART.rows + 1);
    const place = chartPlaces(report.charts)[index] ?? { column: 0, headRow: 2 };
    return {
      xml: chartXml(chart, { sheet: chartData, ...place }),
      from: { row, column: 0 },
      to: { row: row + CHART.rows, column: CHART.columns },
    };
  });
  return {
    name,
    rows: writer.rows,
    widths: [...TEXT_COLUMNS],
    frozenRows: 0,
    filter: null,
    merged: writer.merged,
    charts,
  };
}

/** The values of the charts, side by side; the charts on the summary follow what is written here. */
export function chartDataSheet(name: string, charts: readonly Chart[], styles: Styles): Sheet {
  const places = chartPlaces(charts);
  const longest = Math.max(0, ...charts.map((chart) => chart.categories.length));
  const rows: string[] = [];
  for (let number = 1; number <= longest + 2; number += 1) {
    const cells = charts.map((chart, index) =>
      chartCells(chart, places[index]?.column ?? 0, number, styles),
    );
    rows.push(`<row r="${number}">${cells.join("")}</row>`);
  }
  const widths = charts.flatMap((chart) => [16, ...chart.series.map(() => 16), 4]);
  return { name, rows, widths, frozenRows: 2, filter: null, merged: [], charts: [] };
}

function writeCover(writer: SheetWriter, report: Report, words: ReportWords): void {
  const { cover } = report;
  const format = new ValueFormat(report.language);
  writer.row((at) => textCell(at(0), cover.title, writer.style("title")), 30);
  for (const [label, value] of coverFacts(cover, words, format))
    writer.row(
      (at) =>
        textCell(at(0), label, writer.style("label")) +
        textCell(at(1), value, writer.style("fact")),
    );
  writer.paragraph(cover.scope, "muted");
}

function writeFigures(
  writer: SheetWriter,
  { currency, figures }: KeyFigures,
  words: ReportWords,
): void {
  writer.heading(currency === null ? words.keyFigures : `${words.keyFigures} (${currency})`);
  const head = [
    words.metric,
    words.value,
    words.previous,
    words.change,
    words.benchmark,
    words.source,
  ];
  writer.row((at) =>
    head
      .map((label, column) =>
        textCell(at(column), label, writer.style(column % 5 === 0 ? "head" : "headNumber")),
      )
      .join(""),
  );
  const percent = writer.style("plain", "+0.0%;-0.0%;0.0%");
  for (const figure of figures) {
    const number = writer.style("plain", numberFormat(figure.kind, currency));
    writer.row((at) =>
      [
        textCell(at(0), figure.label, writer.style("plain")),
        valueCell(at(1), figure.value, figure.kind, number),
        valueCell(at(2), figure.previous, figure.kind, number),
        valueCell(at(3), figure.change, "ratio", percent),
        valueCell(at(4), figure.benchmark?.value ?? null, figure.kind, number),
        figure.benchmark === null
          ? ""
          : textCell(at(5), figure.benchmark.source, writer.style("label")),
      ].join(""),
    );
  }
}

function chartPlaces(charts: readonly Chart[]): ChartPlace[] {
  let column = 0;
  return charts.map((chart) => {
    const place = { column, headRow: 2 };
    column += chart.series.length + 2;
    return place;
  });
}

function chartCells(chart: Chart, first: number, number: number, styles: Styles): string {
  const at = (column: number) => `${columnName(first + column)}${number}`;
  if (number === 1) return textCell(at(0), chart.title, styles.style("heading", ""));
  if (number === 2)
    return chart.series
      .map(({ label }, index) => textCell(at(index + 1), label, styles.style("headNumber", "")))
      .join("");
  const index = number - 3;
  const category = chart.categories[index];
  if (category === undefined) return "";
  const { categoryKind } = chart;
  const day = styles.style("plain", numberFormat(categoryKind, null));
  const style = styles.style("plain", numberFormat(chart.kind, chart.currency));
  return [
    valueCell(at(0), category, categoryKind, day),
    ...chart.series.map(({ values }, series) =>
      valueCell(at(series + 1), values[index] ?? null, chart.kind, style),
    ),
  ].join("");
}
