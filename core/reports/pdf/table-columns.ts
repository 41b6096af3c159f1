import { type Column, currencyOf, type Table, type Value } from "../report.ts";
import type { ValueFormat } from "../value-format.ts";
import { type Canvas, CONTENT_WIDTH } from "./canvas.ts";

/** A column as it stands on the page. */
export interface PlacedColumn extends Column {
  index: number;
  /** From the start edge of the table. */
  x: number;
  width: number;
}

export interface PlacedTable {
  columns: PlacedColumn[];
  /** Points of the letters. */
  size: number;
  /** What stands in a cell. */
  cell: CellText;
}

/** What stands in the cell of a row. */
type CellText = (row: readonly Value[], index: number) => string;

export const CELL_PADDING = 4;
const SIZES = [8.5, 8, 7.5, 7, 6.5] as const;
const SMALLEST = 6;
/** Widths are measured on so many rows, since every row's would cost as much as drawing it. */
const SAMPLE = 400;
/** Names are cut after two lines; `good` is what most of them need. */
const TEXT_WIDTH = { least: 74, good: 130, most: 240 } as const;
const GOOD_SIZES = SIZES.slice(0, 4);

/**
 * Finds the largest letters with which all columns fit side by side. First names get smaller letters, then they give way,
 * then numbers are written short, such as 1.2M; no number is ever cut or stands over another.
 */
export function placeColumns(canvas: Canvas, table: Table, format: ValueFormat): PlacedTable {
  const whole = cellText(table, format, "whole");
  const wanted = wantedWidths(canvas, table, whole);
  const found =
    firstFit(table, wanted, GOOD_SIZES, TEXT_WIDTH.good) ??
    firstFit(table, wanted, SIZES, TEXT_WIDTH.least);
  if (found !== null) return { ...found, cell: whole };
  const short = cellText(table, format, "short");
  const narrow = wantedWidths(canvas, table, short);
  const fitted = firstFit(table, narrow, SIZES, TEXT_WIDTH.least);
  return { ...(fitted ?? { columns: squeeze(table, narrow), size: SMALLEST }), cell: short };
}

/** Where a column names the currency of each row, its amounts have no sign of it. */
function cellText(table: Table, format: ValueFormat, length: "whole" | "short"): CellText {
  const isNamed = table.currency !== null && "column" in table.currency;
  return (row, index) => {
    const kind = table.columns[index]?.kind ?? "text";
    const value = row[index] ?? null;
    return length === "short" && typeof value === "number" && Number.isFinite(value)
      ? format.short(value, kind)
      : format.value(value, kind, isNamed ? null : currencyOf(table, row));
  };
}

function firstFit(
  table: Table,
  wanted: readonly number[],
  sizes: readonly number[],
  leastText: number,
): { columns: PlacedColumn[]; size: number } | null {
  for (const size of sizes) {
    const columns = fit(table, wanted, size, leastText);
    if (columns !== null) return { columns, size };
  }
  return null;
}

/** Widths at size 1, without padding. */
function wantedWidths(canvas: Canvas, table: Table, cell: CellText): number[] {
  const every = Math.max(1, Math.ceil(table.rows.length / SAMPLE));
  const sample = table.rows.filter((_, index) => index % every === 0);
  const rows = [...sample, ...table.totals];
  return table.columns.map((column, index) => {
    let width = Math.max(
      ...headWords(column.label).map((word) => canvas.width(word, { size: 1, weight: "bold" })),
    );
    for (const row of rows) {
      const text = cell(row, index);
      // The totals are bold, and nearly always the widest.
      width = Math.max(width, canvas.width(text.slice(0, 80), { size: 1, weight: "bold" }));
    }
    return width;
  });
}

/** A heading may take two lines. */
function headWords(label: string): string[] {
  const words = label.split(" ");
  return words.length > 0 ? words : [label];
}

function fit(
  table: Table,
  wanted: readonly number[],
  size: number,
  leastText: number,
): PlacedColumn[] | null {
  const widths = table.columns.map((column, index) => {
    const width = (wanted[index] ?? 0) * size + 2 * CELL_PADDING;
    return column.kind === "text" ? Math.min(width, TEXT_WIDTH.most) : width;
  });
  const isText = (index: number) => table.columns[index]?.kind === "text";
  const numbers = sum(widths.filter((_, index) => !isText(index)));
  const texts = widths.filter((_, index) => isText(index));
  const room = CONTENT_WIDTH - numbers;
  const least = sum(texts.map((width) => Math.min(width, leastText)));
  if (room < least) return null;
  const shrink = shareOf(texts, room);
  return spread(
    table,
    widths.map((width, index) => (isText(index) ? Math.min(width, shrink) : width)),
  );
}

/** The width that no text column may exceed, so that all fit the room. */
function shareOf(widths: readonly number[], room: number): number {
  let left = room;
  const sorted = [...widths].sort((a, b) => a - b);
  for (const [index, width] of sorted.entries()) {
    const share = left / (sorted.length - index);
    if (width > share) return share;
    left -= width;
  }
  return Number.POSITIVE_INFINITY;
}

/** When even the smallest letters are too large: every column gets its part. */
function squeeze(table: Table, wanted: readonly number[]): PlacedColumn[] {
  const total = sum(wanted);
  return spread(
    table,
    wanted.map((width) => (width / Math.max(total, 1)) * CONTENT_WIDTH),
  );
}

/** What is left over goes to all columns alike, so that the table is as wide as the page. */
function spread(table: Table, widths: readonly number[]): PlacedColumn[] {
  const extra = Math.max(0, CONTENT_WIDTH - sum(widths)) / Math.max(1, widths.length);
  let x = 0;
  return table.columns.map((column, index) => {
    const width = (widths[index] ?? 0) + extra;
    const placed = { ...column, index, x, width };
    x += width;
    return placed;
  });
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
