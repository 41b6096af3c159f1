import type { Table } from "../report.ts";
import { headRow, tableRows, textCell } from "./cells.ts";
import type { Look, Styles } from "./styles.ts";
import { columnName } from "../../tables/xlsx/write-xml.ts";

/** Widths of the columns of sheets with text; the summary has metric, value, previous, change, benchmark, source. */
export const TEXT_COLUMNS = [34, 18, 18, 14, 18, 30] as const;
/** A line of text in a merged row holds about so many characters. */
const LINE_CHARACTERS = 120;

/** Writes rows one below the other. */
export class SheetWriter {
  readonly rows: string[] = [];
  readonly merged: string[] = [];
  readonly #styles: Styles;

  constructor(styles: Styles) {
    this.#styles = styles;
  }

  get count(): number {
    return this.rows.length;
  }

  style(look: Look, format = ""): number {
    return this.#styles.style(look, format);
  }

  row(cells: (reference: (column: number) => string) => string, height?: number): void {
    const number = this.rows.length + 1;
    const size = height === undefined ? "" : ` ht="${height}" customHeight="1"`;
    const content = cells((column) => `${columnName(column)}${number}`);
    this.rows.push(`<row r="${number}"${size}>${content}</row>`);
  }

  /** A table below what is there. */
  table(table: Table): void {
    this.rows.push(headRow(table, this.#styles, this.rows.length + 1));
    this.rows.push(...tableRows(table, this.#styles, this.rows.length + 1));
  }

  empty(): void {
    this.row(() => "");
  }

  heading(text: string): void {
    if (this.rows.length > 0) this.empty();
    this.row((at) => textCell(at(0), text, this.style("heading")), 22);
  }

  /** Over the width of the sheet, as high as its lines. */
  paragraph(text: string, look: Look): void {
    const lines = Math.max(1, Math.ceil(text.length / LINE_CHARACTERS));
    this.row((at) => textCell(at(0), text, this.style(look)), lines * 15.5);
    this.merged.push(
      `A${this.rows.length}:${columnName(TEXT_COLUMNS.length - 1)}${this.rows.length}`,
    );
  }
}
