import PDFDocument from "pdfkit";
import { toBytes } from "pdfkit/output";
import type { Report } from "../report.ts";
import { ValueFormat } from "../value-format.ts";
import { type ReportWords, reportWords } from "../words/report-words.ts";
import { Canvas, COLORS, CONTENT_WIDTH, PAGE } from "./canvas.ts";
import { drawChart } from "./draw-chart.ts";
import { drawCover } from "./draw-cover.ts";
import { drawKeyFigures } from "./draw-key-figures.ts";
import { drawTable } from "./draw-table.ts";
import { PageFlow } from "./page-flow.ts";
import type { FontFileReader } from "./font-files.ts";
import type { ReportFonts } from "./report-fonts.ts";
import { fitLines } from "./break-lines.ts";

/** Where a document's fonts come from. */
export interface PdfFonts {
  fonts: ReportFonts;
  /** Further fonts, for letters that those lack. */
  read: FontFileReader;
}

export interface WrittenPdf {
  /** The whole file; a page takes some 5 KiB of it, the fonts some 30. */
  bytes: Uint8Array;
  /** Letters that no font has; a sign stands in their place. */
  missing: readonly string[];
}

/** A report as pages of A4. */
export async function writePdf(report: Report, { fonts, read }: PdfFonts): Promise<WrittenPdf> {
  const own = await fonts.forDocument({ all: textsIn(report), bold: [report.cover.title] }, read);
  const document = new PDFDocument({
    size: "A4",
    margin: 0,
    bufferPages: true, // how many pages there are is written on each
    autoFirstPage: false,
    font: null,
    lang: report.language,
    displayTitle: true,
    pdfVersion: "1.7",
    info: {
      Title: report.cover.title,
      Author: report.cover.team,
      Creator: "Switchyard",
      CreationDate: new Date(report.cover.generatedAt),
    },
  });
  for (const { name, font } of own.all()) document.registerFont(name, font);
  const canvas = new Canvas(document, own, report.direction);
  const words = reportWords(report.language);
  const format = new ValueFormat(report.language);
  const flow = new PageFlow(document, canvas);
  flow.newPage();
  drawCover(canvas, report, words, format);
  flow.newPage();
  drawBody(flow, report, words, format);
  drawMargins(canvas, report, words, format);
  const written = toBytes(document);
  document.end();
  return { bytes: await written, missing: own.missing };
}

/** Every text that stands in a report, wherever it stands. */
function* textsIn(part: unknown): Generator<string> {
  if (typeof part === "string") yield part;
  else if (typeof part === "object" && part !== null)
    for (const value of Object.values(part)) yield* textsIn(value);
}

function drawBody(flow: PageFlow, report: Report, words: ReportWords, format: ValueFormat): void {
  flow.heading(words.summary);
  flow.sentences(report.summary, { bullets: report.summary.length > 1 });
  for (const group of report.keyFigures) {
    const named = report.keyFigures.length > 1 && group.currency !== null;
    flow.heading(named ? `${words.keyFigures} (${group.currency})` : words.keyFigures);
    drawKeyFigures(flow, group, words, format);
  }
  if (report.charts.length > 0) flow.heading(words.charts, 190);
  for (const chart of report.charts) drawChart(flow, chart, format);
  for (const table of [report.tables.byPlatform, report.tables.byCampaign]) {
    flow.heading(table.title);
    drawTable(flow, table, words, format);
  }
  if (report.movements.length > 0) flow.heading(words.whatMoved);
  for (const movement of report.movements) {
    flow.subheading(movement.title);
    flow.sentences(movement.sentences, { bullets: movement.sentences.length > 1 });
    if (movement.table.rows.length > 0) drawTable(flow, movement.table, words, format);
  }
  flow.heading(words.benchmarks);
  flow.sentences(report.benchmarks.sentences);
  if (report.benchmarks.table.rows.length > 0)
    drawTable(flow, report.benchmarks.table, words, format);
  drawSources(flow, report, words);
  flow.heading(report.tables.byDay.title);
  drawTable(flow, report.tables.byDay, words, format);
  flow.heading(words.appendix);
  for (const passage of report.appendix) {
    flow.subheading(passage.title, 40);
    flow.sentences(passage.sentences);
  }
}

function drawSources(flow: PageFlow, report: Report, words: ReportWords): void {
  const { sources } = report.benchmarks;
  if (sources.length === 0) return;
  flow.subheading(words.sources, 40);
  flow.sentences(
    sources.map(({ name, period, url }) =>
      [name, period, url ?? ""].filter((part) => part !== "").join(" · "),
    ),
    { muted: true },
  );
}

/** Above and below each page but the cover, when all pages are there: title, team and the number of the page. */
function drawMargins(
  canvas: Canvas,
  report: Report,
  words: ReportWords,
  format: ValueFormat,
): void {
  const { count } = canvas.document.bufferedPageRange();
  const style = { size: 8, color: COLORS.muted } as const;
  const shorten = (text: string, width: number) =>
    fitLines(text, { width, lines: 1 }, { canvas, style }).text;
  const title = shorten(report.cover.title, CONTENT_WIDTH * 0.62);
  const team = shorten(report.cover.team, CONTENT_WIDTH * 0.32);
  const end = PAGE.margin + CONTENT_WIDTH;
  for (let page = 1; page < count; page += 1) {
    canvas.document.switchToPage(page);
    canvas.text(title, PAGE.margin, 36, style);
    canvas.text(team, end, 36, { ...style, align: "end" });
    const y = PAGE.height - 34;
    canvas.rule({ x: PAGE.margin, y: y - 14 }, { x: end, y: y - 14 }, COLORS.line, 0.5);
    canvas.text(words.page(format.count(page + 1), format.count(count)), end, y, {
      ...style,
      align: "end",
    });
    const { from, to } = report.cover.period;
    canvas.text(words.span(format.day(from), format.day(to)), PAGE.margin, y, style);
  }
}
