import { JobFailure } from "../../jobs/job-type.ts";
import type { ByteSource } from "../../tables/byte-source.ts";
import type { Table } from "../../tables/table.ts";
import { inflateEntry } from "../../tables/xlsx/inflate-entry.ts";
import { readWorkbook } from "../../tables/xlsx/workbook.ts";
import { columnName, escapeXml } from "../../tables/xlsx/write-xml.ts";
import { contentStart, readZipDirectory, type ZipEntry } from "../../tables/xlsx/zip-directory.ts";
import { type ZipPart, zipPieces } from "../../tables/xlsx/zip-pieces.ts";
import { byteStream } from "../../files/byte-stream.ts";
import type { FilePlan } from "./file-plan.ts";
import { attributeOf, columnNumber, SheetPlace, sheetPieces } from "./sheet-tags.ts";
import { VIN_COLUMNS, type VinRow } from "./vin-columns.ts";
import type { WrittenFile } from "./write-csv.ts";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/** Of one sheet, unpacked; as the reader of tables has it. */
const MOST_SHEET_BYTES = 4 * 1_073_741_824;
/** The last column that a sheet can have: XFD. */
const LAST_COLUMN = 16_384;
const YEAR = VIN_COLUMNS.indexOf("vin_year");

interface Written {
  table: Table;
  source: ByteSource;
  plan: FilePlan;
  /** One for each row that the reader of tables gives. */
  added: AsyncGenerator<VinRow | null, void, undefined>;
}

/**
 * The workbook with its columns added. Everything else of it stays as it is, byte for byte: only the sheets with VINs are
 * written anew, with more cells in their rows.
 */
export async function writeXlsx({ table, source, plan, added }: Written): Promise<WrittenFile> {
  const [entries, workbook] = await Promise.all([readZipDirectory(source), readWorkbook(source)]);
  const rows = new AddedRows(table, added);
  const changed: { entry: ZipEntry; text: AsyncIterable<string> }[] = [];
  for (const name of table.sheets) {
    const entry = workbook.sheets.find((sheet) => sheet.name === name)?.entry;
    const place = plan.sheets[name];
    if (!entry || !place) continue;
    const layout = await layoutOf(source, entry, place.headerLine);
    changed.push({
      entry,
      text: sheetText(inflateEntry(source, entry, MOST_SHEET_BYTES), {
        name,
        layout,
        rows,
        ...place,
      }),
    });
  }
  const parts: ZipPart[] = [...entries.values()]
    .filter(({ name }) => !changed.some(({ entry }) => entry.name === name))
    .map((packed) => ({ packed, open: () => packedContent(source, packed) }));
  // Last and in the order of the table, whose rows come in it.
  parts.push(...changed.map(({ entry: { name }, text }) => ({ name, text })));
  return { contentType: XLSX, body: byteStream(zipPieces(parts)) };
}

async function packedContent(
  source: ByteSource,
  entry: ZipEntry,
): Promise<ReadableStream<Uint8Array>> {
  const start = await contentStart(source, entry);
  return source.stream(start, start + entry.compressedSize);
}

/** What is added, row by row, over all sheets that are read. */
class AddedRows {
  readonly #rows: AsyncGenerator<
    { sheet: string; line: number; row: VinRow | null },
    void,
    undefined
  >;
  #next: { sheet: string; line: number; row: VinRow | null } | null = null;

  constructor(table: Table, added: Written["added"]) {
    this.#rows = numbered(table, added);
  }

  /** What is added to this row of this sheet; the rows must be asked for in the order of the file. */
  async at(sheet: string, line: number): Promise<VinRow | null> {
    for (;;) {
      const next = (this.#next ??= (await this.#rows.next()).value ?? null);
      if (next === null) return null;
      if (next.sheet === sheet && next.line > line) return null;
      this.#next = null;
      if (next.sheet === sheet && next.line === line) return next.row;
    }
  }
}

async function* numbered(table: Table, added: Written["added"]) {
  for await (const { sheet, lines } of table.batches())
    for (const line of lines) {
      const { value } = await added.next();
      yield { sheet: sheet ?? "", line, row: value ?? null };
    }
}

interface Layout {
  /** The last column that any cell stands in, also one that only has a format. */
  lastColumn: number;
  /** The format of the header's last cell, which the new names get too. */
  headerStyle: string | null;
}

async function layoutOf(
  source: ByteSource,
  entry: ZipEntry,
  headerLine: number | null,
): Promise<Layout> {
  const place = new SheetPlace();
  const layout: Layout = { lastColumn: 0, headerStyle: null };
  for await (const { tag } of sheetPieces(inflateEntry(source, entry, MOST_SHEET_BYTES))) {
    if (tag === null || tag.closing) continue;
    place.enter(tag);
    if (tag.name !== "c") continue;
    layout.lastColumn = Math.max(layout.lastColumn, place.column);
    if (place.row === headerLine) layout.headerStyle = attributeOf(tag, "s") ?? layout.headerStyle;
  }
  if (layout.lastColumn + VIN_COLUMNS.length > LAST_COLUMN)
    throw new JobFailure("The sheet has no room for more columns.");
  return layout;
}

interface SheetParts {
  name: string;
  layout: Layout;
  rows: AddedRows;
  headerLine: number | null;
}

/** The sheet's XML with cells at the end of its rows. */
async function* sheetText(
  xml: AsyncIterable<string>,
  { name, layout, rows, headerLine }: SheetParts,
): AsyncGenerator<string, void, undefined> {
  const place = new SheetPlace();
  const { lastColumn, headerStyle } = layout;
  let text = "";
  for await (const { before, tag, text: asItWas } of sheetPieces(xml)) {
    text += before;
    if (tag !== null) place.enter(tag);
    if (tag?.name === "row" && tag.closing) {
      const cellsAt = { row: place.row, from: lastColumn + 1, prefix: tag.prefix };
      const header = place.row === headerLine;
      const row = await rows.at(name, place.row);
      if (header) text += cellsText(VIN_COLUMNS, { ...cellsAt, style: headerStyle });
      else if (row !== null) text += cellsText(row, { ...cellsAt, style: null });
    }
    if (tag?.name === "row" && !tag.closing) text += asItWas.replace(/\sspans="[^"]*"/, "");
    else if (tag?.name === "dimension") text += widened(asItWas, lastColumn + VIN_COLUMNS.length);
    else text += asItWas;
    if (text.length < 65_536) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

/** Readers that go by the size of the sheet would leave out what is beyond it. */
function widened(dimension: string, lastColumn: number): string {
  return dimension.replace(
    /ref="([A-Z]+\d+)(?::([A-Z]+)(\d+))?"/,
    (_whole, first: string, letters?: string, line?: string) => {
      const last = Math.max(lastColumn, columnNumber(letters ?? "A"));
      return `ref="${first}:${columnName(last - 1)}${line ?? first.replace(/\D/g, "")}"`;
    },
  );
}

function cellsText(
  values: readonly string[],
  { row, from, prefix, style }: { row: number; from: number; prefix: string; style: string | null },
): string {
  const s = style === null ? "" : ` s="${style}"`;
  return values
    .map((value, at) => {
      if (value === "") return "";
      const place = `r="${columnName(from + at - 1)}${row}"${s}`;
      return at === YEAR && /^\d{4}$/.test(value)
        ? `<${prefix}c ${place}><${prefix}v>${value}</${prefix}v></${prefix}c>`
        : `<${prefix}c ${place} t="inlineStr"><${prefix}is><${prefix}t xml:space="preserve">${escapeXml(value)}</${prefix}t></${prefix}is></${prefix}c>`;
    })
    .join("");
}
