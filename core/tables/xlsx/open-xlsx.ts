import { AppError } from "../../kernel/errors.ts";
import type { ByteSource } from "../byte-source.ts";
import type { SheetPosition, Table, TableBatch, TableOptions, TablePosition } from "../table.ts";
import { inflateEntry } from "./inflate-entry.ts";
import { readSharedStrings, type SharedStrings } from "./shared-strings.ts";
import { SheetRows } from "./sheet-rows.ts";
import { readWorkbook, type Sheet, type Workbook } from "./workbook.ts";
import { XmlScanner } from "./xml-scanner.ts";

const LEAST_BATCH = 65_536;
const USUAL_BATCH = 262_144;
/** XML says a row in about so many times the characters that CSV takes. */
const XML_OVERHEAD = 4;
/** Cells of a batch, however little they hold. */
const MOST_CELLS = 200_000;
/** Of one sheet, unpacked. It streams, so this bounds time: about 20 s. */
const MOST_SHEET_BYTES = 4 * 1_073_741_824;

/** See openTable. */
export async function openXlsx(source: ByteSource, options: TableOptions): Promise<Table> {
  const workbook = await readWorkbook(source);
  const sheets = workbook.sheets.filter(
    ({ name }) => options.sheet === undefined || name === options.sheet,
  );
  if (sheets.length === 0) throw sheetMissing(workbook, options.sheet);
  const batchBytes = Math.max(LEAST_BATCH, options.batchBytes ?? USUAL_BATCH) * XML_OVERHEAD;
  return {
    format: "xlsx",
    delimiter: null,
    sheets: sheets.map(({ name }) => name),
    batches: (from?: TablePosition) =>
      readSheets({ source, workbook, sheets, batchBytes }, sheetPosition(from)),
  };
}

function sheetPosition(from: TablePosition | undefined): SheetPosition {
  if (from === undefined) return { format: "xlsx", sheet: 0, rows: 0 };
  if (from.format === "xlsx") return from;
  throw new Error("The position is one of a CSV file, and the file is a workbook");
}

function sheetMissing(workbook: Workbook, wanted: string | undefined): AppError {
  const names = workbook.sheets.map(({ name }) => `“${name}”`).join(", ");
  return new AppError("validation_failed", {
    message:
      wanted === undefined || names === ""
        ? "The workbook has no sheet with cells that is not hidden."
        : `The workbook has no sheet “${wanted}”. It has ${names}.`,
  });
}

interface SheetReading {
  source: ByteSource;
  workbook: Workbook;
  sheets: Sheet[];
  /** Of XML. */
  batchBytes: number;
}

async function* readSheets(
  reading: SheetReading,
  from: SheetPosition,
): AsyncGenerator<TableBatch, void, undefined> {
  const strings = await readSharedStrings(reading.source, reading.workbook.sharedStrings);
  for (let place = from.sheet; place < reading.sheets.length; place += 1) {
    yield* readSheet(reading, strings, {
      format: "xlsx",
      sheet: place,
      rows: place === from.sheet ? from.rows : 0,
    });
  }
}

async function* readSheet(
  { source, workbook, sheets, batchBytes }: SheetReading,
  strings: SharedStrings,
  from: SheetPosition,
): AsyncGenerator<TableBatch, void, undefined> {
  const sheet = sheets[from.sheet];
  if (sheet === undefined) return;
  const rows = new SheetRows({ ...workbook, strings }, from.rows);
  const scanner = new XmlScanner(rows);
  const batch = (): TableBatch => ({
    ...rows.take(),
    sheet: sheet.name,
    position: { format: "xlsx", sheet: from.sheet, rows: Math.max(rows.done, from.rows) },
  });
  let read = 0;
  for await (const piece of inflateEntry(source, sheet.entry, MOST_SHEET_BYTES)) {
    scanner.push(piece);
    read += piece.length;
    if (read >= batchBytes || rows.cells > MOST_CELLS) {
      read = 0;
      if (rows.rows.length + rows.broken.length > 0) yield batch();
    }
  }
  if (rows.rows.length + rows.broken.length > 0) yield batch();
}
