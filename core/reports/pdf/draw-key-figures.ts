import type { KeyFigure, KeyFigures } from "../report.ts";
import type { ValueFormat } from "../value-format.ts";
import type { ReportWords } from "../words/report-words.ts";
import { type Canvas, COLORS, CONTENT_WIDTH, PAGE } from "./canvas.ts";
import type { PageFlow } from "./page-flow.ts";

const COLUMNS = 3;
const GAP = 10;
const CARD = { width: (CONTENT_WIDTH - GAP * (COLUMNS - 1)) / COLUMNS, height: 74 } as const;
const PADDING = 11;

/** The figures as cards, three side by side. */
export function drawKeyFigures(
  flow: PageFlow,
  group: KeyFigures,
  words: ReportWords,
  format: ValueFormat,
): void {
  for (let first = 0; first < group.figures.length; first += COLUMNS) {
    flow.ensure(CARD.height);
    for (const [column, figure] of group.figures.slice(first, first + COLUMNS).entries()) {
      const x = PAGE.margin + column * (CARD.width + GAP);
      drawCard(flow.canvas, { x, y: flow.y }, { figure, currency: group.currency, words, format });
    }
    flow.move(CARD.height + GAP);
  }
  flow.move(4);
}

interface Card {
  figure: KeyFigure;
  currency: string | null;
  words: ReportWords;
  format: ValueFormat;
}

function drawCard(canvas: Canvas, at: { x: number; y: number }, card: Card): void {
  const { figure, currency, words, format } = card;
  const left = at.x + PADDING;
  const room = CARD.width - 2 * PADDING;
  canvas.fill({ ...at, width: CARD.width, height: CARD.height, radius: 5 }, COLORS.panel);
  canvas.text(figure.label, left, at.y + 18, { size: 8.5, color: COLORS.muted });
  const value = format.value(figure.value, figure.kind, currency);
  canvas.text(value, left, at.y + 41, { size: sizeThatFits(canvas, value, room), weight: "bold" });
  drawChange(canvas, { x: at.x + CARD.width - PADDING, y: at.y + 18 }, figure, format);
  canvas.text(comparison(card), left, at.y + 60, { size: 7.5, color: COLORS.muted });
  const { benchmark } = figure;
  if (benchmark === null) return;
  const shown = `${words.benchmark} ${format.value(benchmark.value, figure.kind, currency)}`;
  canvas.text(shown, at.x + CARD.width - PADDING, at.y + 60, {
    size: 7.5,
    color: COLORS.muted,
    align: "end",
  });
}

function comparison({ figure, currency, words, format }: Card): string {
  if (figure.previous === null) return "";
  return `${words.before} ${format.value(figure.previous, figure.kind, currency)}`;
}

function drawChange(
  canvas: Canvas,
  at: { x: number; y: number },
  figure: KeyFigure,
  format: ValueFormat,
): void {
  const change = format.change(figure.change);
  if (change === null) return;
  const color = figure.welcome === null ? COLORS.muted : figure.welcome ? COLORS.good : COLORS.bad;
  canvas.text(change, at.x, at.y, { size: 8.5, weight: "bold", color, align: "end" });
}

function sizeThatFits(canvas: Canvas, text: string, room: number): number {
  const width = canvas.width(text, { size: 17, weight: "bold" });
  return width <= room ? 17 : (17 * room) / width;
}
