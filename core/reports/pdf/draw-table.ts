import type { Table, Value } from "../report.ts";
import type { ValueFormat } from "../value-format.ts";
import type { ReportWords } from "../words/report-words.ts";
import { fitLines } from "./break-lines.ts";
import { COLORS, CONTENT_WIDTH, PAGE, type TextStyle } from "./canvas.ts";
import type { PageFlow } from "./page-flow.ts";
import {
  CELL_PADDING,
  placeColumns,
  type PlacedColumn,
  type PlacedTable,
} from "./table-columns.ts";
import { orderText } from "./visual-runs.ts";

/** More rows than that are for the Excel file; at some 45 a page it is more than anybody turns over. */
export const MOST_ROWS = 10_000;
const MOST_LINES = 2;
/** A table begins on a page only where its head and a few rows have room. */
const FIRST_ROWS = 70;
/** A table no taller than that stands whole on a page. */
const SHORT = 240;

interface Drawing {
  flow: PageFlow;
  placed: PlacedTable;
}

/** A table over as many pages as it takes; its head stands on each, and no row is cut in two. */
export function drawTable(
  flow: PageFlow,
  table: Table,
  words: ReportWords,
  format: ValueFormat,
): void {
  if (table.rows.length === 0) return flow.sentences([words.noData], { muted: true });
  const drawing = { flow, placed: placeColumns(flow.canvas, table, format) };
  const whole = (table.rows.length + table.totals.length + 1) * rowHeight(drawing.placed.size, 1);
  flow.ensure(whole <= SHORT ? whole : FIRST_ROWS);
  drawHead(drawing);
  const rows = table.rows.slice(0, MOST_ROWS);
  for (const row of rows) drawRow(drawing, row, false);
  for (const row of table.totals) drawRow(drawing, row, true);
  flow.move(8);
  if (rows.length < table.rows.length)
    flow.sentences(
      [words.rowsLeftOut(format.count(rows.length), format.count(table.rows.length))],
      { muted: true },
    );
  if (table.note !== null) flow.sentences([table.note], { muted: true });
}

function drawHead({ flow, placed }: Drawing): void {
  const style = { size: placed.size, weight: "bold", color: COLORS.accent } as const;
  const lines = placed.columns.map((column) =>
    fitLines(
      column.label,
      { width: column.width - 2 * CELL_PADDING + 1, lines: MOST_LINES },
      { canvas: flow.canvas, style },
    ),
  );
  const most = Math.max(...lines.map((fitted) => fitted.lines.length));
  const height = rowHeight(placed.size, most);
  flow.canvas.fill(
    { x: PAGE.margin, y: flow.y, width: CONTENT_WIDTH, height, radius: 3 },
    COLORS.accentSoft,
  );
  for (const [index, column] of placed.columns.entries()) {
    const fitted = lines[index];
    if (fitted !== undefined)
      drawCell(flow, column, { ...fitted, style, height, base: flow.canvas.direction });
  }
  flow.move(height);
}

function drawRow(drawing: Drawing, row: readonly Value[], total: boolean): void {
  const { flow, placed } = drawing;
  const style = {
    size: placed.size,
    weight: total ? "bold" : "regular",
    color: COLORS.ink,
  } as const;
  const cells = placed.columns.map((column) => {
    const text = placed.cell(row, column.index);
    if (column.kind !== "text") return { text, lines: [{ start: 0, end: text.length }] };
    const { text: plain } = orderText(text, "auto");
    return fitLines(
      plain,
      { width: column.width - 2 * CELL_PADDING, lines: MOST_LINES },
      { canvas: flow.canvas, style },
    );
  });
  const height = rowHeight(placed.size, Math.max(...cells.map((cell) => cell.lines.length)));
  if (flow.ensure(height)) drawHead(drawing);
  if (total)
    flow.canvas.fill({ x: PAGE.margin, y: flow.y, width: CONTENT_WIDTH, height }, COLORS.panel);
  for (const [index, column] of placed.columns.entries()) {
    const cell = cells[index];
    const base = column.kind === "text" ? "auto" : flow.canvas.direction;
    if (cell !== undefined) drawCell(flow, column, { ...cell, style, height, base });
  }
  const y = flow.y + height;
  flow.canvas.rule({ x: PAGE.margin, y }, { x: PAGE.margin + CONTENT_WIDTH, y }, COLORS.line, 0.5);
  flow.move(height);
}

interface Cell {
  text: string;
  lines: readonly { start: number; end: number }[];
  style: TextStyle;
  height: number;
  base: "ltr" | "rtl" | "auto";
}

/** Texts stand at the reading edge of their column, numbers at its right, so that their digits are below each other. */
function drawCell(flow: PageFlow, column: PlacedColumn, cell: Cell): void {
  const { style, height } = cell;
  const isText = column.kind === "text" || column.kind === "date";
  const isStart = isText || flow.canvas.mirrored;
  const x = PAGE.margin + column.x + (isStart ? CELL_PADDING : column.width - CELL_PADDING);
  const ordered = orderText(cell.text, cell.base);
  const lineHeight = style.size * 1.3;
  let y = flow.y + height / 2 - ((cell.lines.length - 1) * lineHeight) / 2 + style.size * 0.36;
  for (const line of cell.lines) {
    flow.canvas.line(ordered, { x, y, ...line }, { ...style, align: isStart ? "start" : "end" });
    y += lineHeight;
  }
}

function rowHeight(size: number, lines: number): number {
  return lines * size * 1.3 + size * 0.9;
}
