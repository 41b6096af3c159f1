import { AppError } from "../../kernel/errors.ts";
import { readBytes, type ByteSource } from "../byte-source.ts";
import type { Table, TableBatch, TableOptions, TablePosition } from "../table.ts";
import type { CsvPosition } from "./csv-position.ts";
import { decodeText, unitBytes } from "./decode-text.ts";
import { parseRecords } from "./parse-records.ts";
import { sniffDialect } from "./sniff-dialect.ts";

const HEAD = 65_536;
const LEAST_BATCH = 65_536;
const USUAL_BATCH = 262_144;
/** A file without line ends is no table; this much of it is held to find out. */
const LONGEST_LINE = 4_194_304;

/** See openTable. */
export async function openCsv(source: ByteSource, options: TableOptions): Promise<Table> {
  const begin = sniffDialect(await readBytes(source, 0, HEAD), source.size <= HEAD);
  const batchBytes = Math.max(LEAST_BATCH, options.batchBytes ?? USUAL_BATCH);
  return {
    format: "csv",
    delimiter: begin.delimiter,
    sheets: [],
    batches: (from?: TablePosition) => readCsv(source, csvPosition(from) ?? begin, batchBytes),
  };
}

function csvPosition(from: TablePosition | undefined): CsvPosition | undefined {
  if (from === undefined || from.format === "csv") return from;
  throw new Error("The position is one of a workbook, and the file is CSV");
}

async function* readCsv(
  source: ByteSource,
  begin: CsvPosition,
  batchBytes: number,
): AsyncGenerator<TableBatch, void, undefined> {
  if (begin.byte >= source.size) return;
  const reader = (await source.stream(begin.byte)).getReader();
  const bytes = new ByteQueue();
  let position = begin;
  let wanted = batchBytes;
  try {
    for (let done = false; !done || bytes.length > 0;) {
      while (!done && bytes.length < wanted) {
        const read = await reader.read();
        if (read.done) done = true;
        else bytes.push(read.value);
      }
      // A source may give more at once than a batch is to hold.
      const final = done && bytes.length <= wanted;
      const block = takeBlock(bytes.view(wanted), position, final);
      if (block === null) {
        if (final) return;
        if (wanted > LONGEST_LINE + batchBytes) throw lineTooLong(position.line);
        wanted += batchBytes;
        continue;
      }
      bytes.drop(block.bytes);
      wanted = batchBytes;
      position = block.batch.position as CsvPosition; // takeBlock makes no other
      yield block.batch;
    }
  } finally {
    await reader.cancel();
  }
}

/** The complete records at the beginning of some bytes; null where there is not one yet. */
function takeBlock(
  bytes: Uint8Array,
  position: CsvPosition,
  final: boolean,
): { batch: TableBatch; bytes: number } | null {
  const unit = unitBytes(position.encoding);
  const cut = final ? bytes.length : lastLineEnd(bytes, position, bytes.length);
  if (cut === 0) return null;
  const { text, encoding } = decodeText(bytes.subarray(0, cut), position.encoding);
  const { delimiter, lineEnd, line } = position;
  const records = parseRecords(text, { delimiter, lineEnd, line, final });
  if (records.consumed === 0) return null;
  let taken = cut;
  if (records.consumed < text.length) {
    if (unit === 2 || text.length === cut) taken = records.consumed * unit;
    else {
      // Characters differ in length, and line ends do not: as many of them as the rest of the text has are left.
      for (let rest = text.length; rest > records.consumed;) {
        taken = lastLineEnd(bytes, position, taken - 1);
        rest = text.lastIndexOf(lineEnd, rest - 2) + 1;
      }
    }
  }
  return {
    bytes: taken,
    batch: {
      rows: records.rows,
      lines: records.lines,
      broken: records.broken,
      sheet: null,
      position: { ...position, byte: position.byte + taken, line: records.line, encoding },
    },
  };
}

/** The end of the last line end that stands whole within the first `within` bytes; 0 where there is none. */
function lastLineEnd(bytes: Uint8Array, position: CsvPosition, within: number): number {
  const code = position.lineEnd.charCodeAt(0);
  if (unitBytes(position.encoding) === 1) {
    return within <= 0 ? 0 : bytes.lastIndexOf(code, within - 1) + 1;
  }
  const low = position.encoding === "utf-16le" ? 0 : 1;
  let at = within - (within % 2) - 2;
  while (at >= 0 && !(bytes[at + low] === code && bytes[at + 1 - low] === 0)) at -= 2;
  return at < 0 ? 0 : at + 2;
}

function lineTooLong(line: number): AppError {
  return new AppError("validation_failed", {
    message: `Line ${line} has no end within 4 MiB: this is no table. Send it as CSV with one row a line, or as XLSX.`,
  });
}

/** Bytes that come at one end and are taken at the other. */
class ByteQueue {
  #buffer = new Uint8Array(LEAST_BATCH * 2);
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  push(chunk: Uint8Array): void {
    if (this.#to + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#to);
    this.#to += chunk.length;
  }

  /** The first bytes, so many at most. Valid until the next push. */
  view(most: number): Uint8Array {
    return this.#buffer.subarray(this.#from, Math.min(this.#to, this.#from + most));
  }

  drop(count: number): void {
    this.#from += count;
  }

  #makeRoom(more: number): void {
    const needed = this.length + more;
    const target = needed * 2 > this.#buffer.length ? new Uint8Array(needed * 2) : this.#buffer;
    target.set(this.view(this.length), 0);
    this.#to = this.length;
    this.#from = 0;
    this.#buffer = target;
  }
}
