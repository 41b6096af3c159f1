import { AppError } from "../kernel/errors.ts";
import { readBytes, type ByteSource } from "./byte-source.ts";
import { openCsv } from "./csv/open-csv.ts";
import type { CsvPosition } from "./csv/csv-position.ts";
import { openXlsx } from "./xlsx/open-xlsx.ts";

/**
 * One value of a table. Of a CSV file always the text; of an XLSX file what the sheet keeps: a number, a truth value, a
 * day (UTC stands for the sheet's local time), a text. An empty cell is `""`.
 */
export type Cell = string | number | boolean | Date;

/** A line that is no row: a quotation mark that nothing closes, or more columns than a table may have. */
export interface BrokenLine {
  line: number;
  reason: string;
}

/** Rows that follow each other in one sheet. */
export interface TableBatch {
  rows: Cell[][];
  /** Where each row begins: its line in a CSV file, its row number in a sheet; from 1. */
  lines: number[];
  broken: BrokenLine[];
  /** Null for CSV. A new sheet begins in a new batch. */
  sheet: string | null;
  /** Where to go on after this batch; plain JSON, for a job's checkpoint. */
  position: TablePosition;
}

export interface SheetPosition {
  format: "xlsx";
  /** The place among the sheets that are read. */
  sheet: number;
  /** How many rows of that sheet are done. */
  rows: number;
}

export type TablePosition = CsvPosition | SheetPosition;

export interface TableOptions {
  /** Only this sheet of a workbook; else all that are not hidden, one after the other. */
  sheet?: string;
  /** About how many bytes of text a batch holds: 256 KiB unless given, 64 KiB at least. Memory is a few times of it. */
  batchBytes?: number;
}

/** A table that can be read more than once. */
export interface Table {
  format: "csv" | "xlsx";
  /** Of a CSV file, by what stands at its beginning. */
  delimiter: string | null;
  /** Names of the sheets that are read; none for CSV. */
  sheets: string[];
  /** From the beginning, or from the position of a batch that was read before, also by another process. */
  batches(from?: TablePosition): AsyncGenerator<TableBatch, void, undefined>;
}

const ZIP = [0x50, 0x4b];
const OLD_OFFICE = [0xd0, 0xcf, 0x11, 0xe0];
const PDF = [0x25, 0x50, 0x44, 0x46];

/**
 * Opens a CSV or XLSX file, told apart by its first bytes. The file is streamed: what is in memory at once does not grow
 * with it (of a workbook: besides its distinct texts, up to 32 million characters).
 *
 * ```ts
 * const table = await openTable(source);
 * for await (const batch of table.batches(checkpoint?.position)) {
 *   for (const [index, row] of batch.rows.entries()) take(row, batch.lines[index]);
 *   await save(batch.position); // to go on after a kill: table.batches(position)
 * }
 * ```
 *
 * The header is a row like any other. A cell shares the memory of its whole batch: of a text that is kept for longer keep
 * a copy (`keptText`).
 *
 * CSV: UTF-8, UTF-16 (with or without a byte order mark) or Windows-1252; `,` `;` `|` or a tab; quoted line breaks;
 * a `sep=` line. XLSX: ZIP64, shared and inline texts, both calendars.
 *
 * @throws AppError `unsupported_media_type` for what is no table; `validation_failed` for a damaged or hostile file,
 * also in the middle of reading
 */
export async function openTable(source: ByteSource, options: TableOptions = {}): Promise<Table> {
  const head = await readBytes(source, 0, 4);
  const startsWith = (magic: number[]) => magic.every((byte, index) => head[index] === byte);
  if (startsWith(ZIP)) return openXlsx(source, options);
  if (startsWith(OLD_OFFICE)) {
    throw new AppError("unsupported_media_type", {
      message:
        "This is a workbook in Excel's old format, or one with a password. Save it as .xlsx without a password, or as CSV.",
    });
  }
  if (startsWith(PDF)) {
    throw new AppError("unsupported_media_type", {
      message: "This is a PDF. Send the table as CSV or XLSX.",
    });
  }
  return openCsv(source, options);
}
