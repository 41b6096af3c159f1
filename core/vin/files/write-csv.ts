import { readBytes, type ByteSource } from "../../tables/byte-source.ts";
import { cellText } from "../../tables/cell-text.ts";
import type { CsvEncoding } from "../../tables/csv/csv-position.ts";
import type { Table, TablePosition } from "../../tables/table.ts";
import { encodeText } from "./encode-text.ts";
import type { FilePlan } from "./file-plan.ts";
import { byteStream } from "../../files/byte-stream.ts";
import { problemRow, VIN_COLUMNS, type VinRow } from "./vin-columns.ts";

export interface WrittenFile {
  contentType: string;
  body: ReadableStream<Uint8Array>;
}

interface Written {
  table: Table;
  source: ByteSource;
  plan: FilePlan;
  /** One for each row of the file. */
  added: AsyncGenerator<VinRow | null, void, undefined>;
  /** After the last row. */
  position: TablePosition | null;
}

/** How a file was written. */
interface Manner {
  delimiter: string;
  lineEnd: string;
  encoding: CsvEncoding;
  byteOrderMark: boolean;
  /** The line before the table that tells spreadsheets how it is separated. */
  separatorLine: string;
}

const HEAD = 65_536;

/** The file with its columns added: the same delimiter, encoding and line ends. Cells are quoted where they have to be. */
export async function writeCsv(parts: Written): Promise<WrittenFile> {
  const manner = await mannerOf(parts);
  const charset = manner.encoding === "ascii" ? "utf-8" : manner.encoding;
  return {
    contentType: `text/csv; charset=${charset}`,
    body: byteStream(encoded(csvLines(parts, manner), manner)),
  };
}

async function mannerOf({ table, source, position }: Written): Promise<Manner> {
  const head = await readBytes(source, 0, HEAD);
  const encoding = position?.format === "csv" ? position.encoding : "ascii";
  const marks = [
    [0xef, 0xbb, 0xbf],
    [0xff, 0xfe],
    [0xfe, 0xff],
  ];
  const byteOrderMark = marks.some((mark) => mark.every((byte, at) => head[at] === byte));
  const isWide = encoding === "utf-16le" || encoding === "utf-16be";
  const text = new TextDecoder(isWide ? encoding : "latin1")
    .decode(head)
    .replace(/^\ufeff|^ï»¿/, "");
  const lineEnd = /\r\n|\n|\r/.exec(text)?.[0] ?? "\r\n";
  const separatorLine = /^sep=.(?=[\r\n])/i.exec(text)?.[0] ?? "";
  const delimiter = table.delimiter ?? ",";
  return { delimiter, lineEnd, encoding, byteOrderMark, separatorLine };
}

async function* csvLines(
  { table, plan, added }: Written,
  { delimiter, lineEnd, separatorLine }: Manner,
): AsyncGenerator<string, void, undefined> {
  if (separatorLine !== "") yield separatorLine + lineEnd;
  const place = plan.sheets[""];
  const width = place?.width ?? 0;
  const special = new RegExp(`["\\r\\n${delimiter === "|" ? "\\|" : delimiter}]`);
  const quoted = (text: string) =>
    special.test(text) || /^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const line = (cells: readonly string[], more: readonly string[]) => {
    const padded = [
      ...cells,
      ...Array.from({ length: Math.max(0, width - cells.length) }, () => ""),
    ];
    return [...(more.length === 0 ? cells : padded), ...more].map(quoted).join(delimiter) + lineEnd;
  };
  for await (const { rows, lines, broken } of table.batches()) {
    let text = "";
    for (const [at, row] of rows.entries()) {
      const { value } = await added.next();
      const isHeader = place?.headerLine !== null && lines[at] === place?.headerLine;
      text += line(row.map(cellText), isHeader ? VIN_COLUMNS : (value ?? []));
    }
    for (const { line: number, reason } of broken)
      text += line([], problemRow(`Line ${number} of the file could not be read: ${reason}`));
    yield text;
  }
}

async function* encoded(
  lines: AsyncGenerator<string, void, undefined>,
  { encoding, byteOrderMark }: Manner,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (byteOrderMark) yield encodeText("\ufeff", encoding);
  for await (const text of lines) yield encodeText(text, encoding);
}
