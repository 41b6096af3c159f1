import { coverFacts, spanOf } from "../cover-facts.ts";
import type { Report } from "../report.ts";
import type { ValueFormat } from "../value-format.ts";
import type { ReportWords } from "../words/report-words.ts";
import { fitLines } from "./break-lines.ts";
import { type Canvas, COLORS, CONTENT_WIDTH, PAGE } from "./canvas.ts";
import { orderText } from "./visual-runs.ts";

const TITLE = { size: 31, weight: "bold", color: COLORS.white } as const;
const BAND_HEIGHT = 372;
const BAND_TEXT_BOTTOM = 268;

/** The first page: a band with the title, and what the report is about. */
export function drawCover(
  canvas: Canvas,
  report: Report,
  words: ReportWords,
  format: ValueFormat,
): void {
  const { cover } = report;
  canvas.fill({ x: 0, y: 0, width: PAGE.width, height: BAND_HEIGHT }, COLORS.accent);
  canvas.fill({ x: 0, y: BAND_HEIGHT, width: PAGE.width, height: 5 }, COLORS.series[1]);
  drawBars(canvas);
  drawTitle(canvas, cover.title);
  const span = spanOf(cover.period, words, format);
  canvas.text(span, PAGE.margin, BAND_TEXT_BOTTOM + 40, { size: 13, color: COLORS.accentSoft });

  let y = BAND_HEIGHT + 62;
  for (const [label, value] of coverFacts(cover, words, format)) {
    canvas.text(label, PAGE.margin, y, { size: 9, color: COLORS.muted });
    y = drawLines(canvas, value, { y: y + 18, lines: 2, size: 12.5 }) + 20;
  }
  drawLines(canvas, cover.scope, { y: y + 6, lines: 4, size: 10.5, color: COLORS.muted });
}

function drawTitle(canvas: Canvas, title: string): void {
  const ordered = orderText(title, canvas.direction);
  const fitted = fitLines(
    ordered.text,
    { width: CONTENT_WIDTH - 60, lines: 4 },
    { canvas, style: TITLE },
  );
  const shown = orderText(fitted.text, canvas.direction);
  const height = TITLE.size * 1.32;
  let y = BAND_TEXT_BOTTOM - (fitted.lines.length - 1) * height;
  for (const line of fitted.lines) {
    canvas.line(shown, { x: PAGE.margin, y, ...line }, TITLE);
    y += height;
  }
}

function drawLines(
  canvas: Canvas,
  text: string,
  { y, lines, ...style }: { y: number; lines: number; size: number; color?: string },
): number {
  const fitted = fitLines(
    orderText(text, canvas.direction).text,
    { width: CONTENT_WIDTH, lines },
    { canvas, style },
  );
  const shown = orderText(fitted.text, canvas.direction);
  let baseline = y;
  for (const [index, line] of fitted.lines.entries()) {
    if (index > 0) baseline += style.size * 1.45;
    canvas.line(shown, { x: PAGE.margin, y: baseline, ...line }, style);
  }
  return baseline;
}

/** A quiet figure of rising bars in the band's far corner. */
function drawBars(canvas: Canvas): void {
  const heights = [34, 52, 46, 70, 92, 84, 118];
  canvas.document.save().fillOpacity(0.14);
  for (const [index, height] of heights.entries())
    canvas.fill(
      { x: PAGE.width - 236 + index * 28, y: 40 + 118 - height, width: 18, height, radius: 2 },
      COLORS.white,
    );
  canvas.document.restore();
}
