import type { Column, Table, Value } from "../report.ts";
import { ValueFormat } from "../value-format.ts";
import { headRow, tableRows } from "./cells.ts";
import type { Sheet } from "./sheet.ts";
import type { Styles } from "./styles.ts";

/** Rows of a sheet, by Excel; one is the head. */
export const MOST_SHEET_ROWS = 1_048_576;
/** Texts are measured on so many rows. */
const SAMPLE = 500;
const TEXT_WIDTH = { least: 12, most: 60 } as const;
const NUMBER_WIDTH = 14;

/** A table as a sheet of its own: its head stays in sight, and its rows can be filtered. */
export function tableSheet(name: string, table: Table, styles: Styles): Sheet {
  const shown = within(table, MOST_SHEET_ROWS - 1);
  return {
    name,
    rows: rowsOf(shown, styles),
    widths: columnWidths(shown),
    frozenRows: 1,
    filter: { row: 1, columns: shown.columns.length, rows: shown.rows.length },
    merged: [],
    charts: [],
  };
}

/** In characters; an estimate, as Excel's own is. */
export function columnWidths(table: Table): number[] {
  return table.columns.map(({ label, kind }, index) => {
    const head = Math.max(...label.split(" ").map((word) => word.length)) + 3;
    let width = Math.max(kind === "text" ? TEXT_WIDTH.least : NUMBER_WIDTH, head);
    for (const row of [...table.rows.slice(0, SAMPLE), ...table.totals])
      width = Math.max(width, valueLength(row[index]) + 2);
    return Math.min(width, TEXT_WIDTH.most);
  });
}

/**
 * For Persian readers: each column of days is followed by the same days as they write them, as texts, since Excel has
 * no solar calendar that all its editions know.
 */
export function withLocalDays(table: Table, label: string): Table {
  const at = table.columns.findIndex(({ kind }) => kind === "date");
  if (at === -1) return table;
  const format = new ValueFormat("fa");
  const column: Column = { key: "local_day", label, kind: "text" };
  const insert = (row: readonly Value[]): Value[] => {
    const day = row[at];
    return [
      ...row.slice(0, at + 1),
      typeof day === "string" && /^\d{4}-/.test(day) ? format.day(day) : null,
      ...row.slice(at + 1),
    ];
  };
  const { currency } = table;
  return {
    ...table,
    columns: [...table.columns.slice(0, at + 1), column, ...table.columns.slice(at + 1)],
    rows: table.rows.map(insert),
    totals: table.totals.map(insert),
    currency:
      currency !== null && "column" in currency && currency.column > at
        ? { column: currency.column + 1 }
        : currency,
  };
}

function* rowsOf(table: Table, styles: Styles): Generator<string> {
  yield headRow(table, styles, 1);
  yield* tableRows(table, styles, 2);
}

function within(table: Table, most: number): Table {
  const room = most - table.totals.length;
  return table.rows.length <= room ? table : { ...table, rows: table.rows.slice(0, room) };
}

/** Of a number with its separators, two decimals and the code of a currency. */
function valueLength(value: Value | undefined): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "number") return 0;
  const digits = Math.trunc(Math.abs(value)).toString().length;
  return digits + Math.floor(digits / 3) + 8;
}
