import { currencyOf, type Table, type Value, type ValueKind } from "../report.ts";
import type { Look, Styles } from "./styles.ts";
import { columnName, escapeXml } from "../../tables/xlsx/write-xml.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days from Excel's first to Unix's. */
const UNIX_EPOCH = 25_569;

/** How Excel shows a kind of value; amounts with the code of their currency, which no reader takes for another. */
export function numberFormat(kind: ValueKind, currency: string | null): string {
  switch (kind) {
    case "count":
      return "#,##0";
    case "decimal":
      return "#,##0.00";
    case "ratio":
      return "0.00%";
    case "multiple":
      return '0.00"×"';
    case "date":
      return "yyyy-mm-dd";
    case "money":
      // Only what looks like a code, since this is a language of its own; `XXX` is "nobody said".
      return currency === null || !/^[A-Z]{3}$/.test(currency) || currency === "XXX"
        ? "#,##0.00"
        : `#,##0.00 [$${currency}]`;
    default:
      return "";
  }
}

/** A cell with a text. Texts are never formulas, whatever they begin with. */
export function textCell(reference: string, text: string, style: number): string {
  if (text === "") return `<c r="${reference}" s="${style}"/>`;
  return `<c r="${reference}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escapeXml(text)}</t></is></c>`;
}

/** A cell with a value of a kind; dates and numbers are real ones. No value is an empty cell. */
export function valueCell(reference: string, value: Value, kind: ValueKind, style: number): string {
  if (value === null) return "";
  if (typeof value === "number")
    return Number.isFinite(value) ? `<c r="${reference}" s="${style}"><v>${value}</v></c>` : "";
  const serial = kind === "date" ? daySerial(value) : null;
  if (serial !== null) return `<c r="${reference}" s="${style}"><v>${serial}</v></c>`;
  return textCell(reference, value, style);
}

/** Excel's number of a day; null of what is no day. */
export function daySerial(day: string): number | null {
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) ? null : Math.round(time / DAY_MS) + UNIX_EPOCH;
}

/** The cells of a table, a row at a time, without the head. @param from the number of the first row, from 1 */
export function* tableRows(table: Table, styles: Styles, from: number): Generator<string> {
  const writer = new RowWriter(table, styles);
  let number = from;
  for (const row of table.rows) {
    yield writer.row(row, number, "plain");
    number += 1;
  }
  for (const row of table.totals) {
    yield writer.row(row, number, "total");
    number += 1;
  }
}

/** The head of a table. */
export function headRow(table: Table, styles: Styles, number: number): string {
  const cells = table.columns.map(({ label, kind }, index) =>
    textCell(
      `${columnName(index)}${number}`,
      label,
      styles.style(kind === "text" ? "head" : "headNumber", ""),
    ),
  );
  return `<row r="${number}" ht="32" customHeight="1">${cells.join("")}</row>`;
}

/** Styles are looked up once a column and currency, not for each of a million cells. */
class RowWriter {
  readonly #table: Table;
  readonly #styles: Styles;
  readonly #names: string[];
  readonly #byCurrency = new Map<string, number[]>();

  constructor(table: Table, styles: Styles) {
    this.#table = table;
    this.#styles = styles;
    this.#names = table.columns.map((_, index) => columnName(index));
  }

  row(row: readonly Value[], number: number, look: Look): string {
    const { columns } = this.#table;
    const styles = this.#stylesOf(currencyOf(this.#table, row), look);
    let cells = "";
    for (let index = 0; index < columns.length; index += 1) {
      const kind = columns[index]?.kind ?? "text";
      const value = row[index] ?? null;
      cells += valueCell(`${this.#names[index]}${number}`, value, kind, styles[index] ?? 0);
    }
    return `<row r="${number}">${cells}</row>`;
  }

  #stylesOf(currency: string | null, look: Look): number[] {
    const key = `${look} ${currency}`;
    let styles = this.#byCurrency.get(key);
    if (styles === undefined) {
      styles = this.#table.columns.map(({ kind }) =>
        this.#styles.style(look, numberFormat(kind, currency)),
      );
      this.#byCurrency.set(key, styles);
    }
    return styles;
  }
}
