import { AppError } from "../../kernel/errors.ts";
import type { CsvPosition } from "./csv-position.ts";
import { decodeText, detectEncoding } from "./decode-text.ts";
import { parseRecords } from "./parse-records.ts";

const DELIMITERS = [",", ";", "\t", "|"];
/** Rows that are looked at. */
const SAMPLE = 200;
const SEP_LINE = /^sep=(.)\r?(?:\n|$)/i;

/**
 * Where the first record of a file begins, and how the file is written, by its first bytes (64 KiB are plenty).
 *
 * @throws AppError `unsupported_media_type` where these are no text
 */
export function sniffDialect(head: Uint8Array, whole: boolean): CsvPosition {
  const { encoding, byteOrderMark } = detectEncoding(head);
  const { text } = decodeText(head.subarray(byteOrderMark), encoding);
  if (text.includes("\0")) {
    throw new AppError("unsupported_media_type", {
      message: "This is neither text nor a workbook. Send the table as CSV or XLSX.",
    });
  }
  const lineEnd = !text.includes("\n") && text.includes("\r") ? "\r" : "\n";
  const separator = SEP_LINE.exec(text);
  const unit = encoding === "utf-16le" || encoding === "utf-16be" ? 2 : 1;
  return {
    format: "csv",
    byte: byteOrderMark + (separator?.[0].length ?? 0) * unit,
    line: separator ? 2 : 1,
    encoding,
    delimiter: separator?.[1] ?? findDelimiter(text, lineEnd, whole),
    lineEnd,
  };
}

/**
 * The one by which most rows have equally many columns, and among equals the one that makes more columns. Titles above
 * the header and totals below hurt all alike; a `|` in the names of campaigns, or a decimal comma, is in some rows only.
 */
function findDelimiter(text: string, lineEnd: "\n" | "\r", whole: boolean): string {
  let best = { delimiter: ",", agreement: 0, columns: 1 };
  for (const delimiter of DELIMITERS) {
    const { rows } = parseRecords(text, { delimiter, lineEnd, line: 1, final: whole });
    const { agreement, columns } = agreementOf(rows.slice(0, SAMPLE));
    if (columns < 2) continue;
    const better = agreement - best.agreement;
    if (better > 0.02 || (better > -0.02 && columns > best.columns)) {
      best = { delimiter, agreement, columns };
    }
  }
  return best.delimiter;
}

/** The commonest number of columns, and the share of rows that have it. */
function agreementOf(rows: readonly string[][]): { agreement: number; columns: number } {
  const counts = new Map<number, number>();
  for (const { length } of rows) counts.set(length, (counts.get(length) ?? 0) + 1);
  let columns = 0;
  let most = 0;
  for (const [length, count] of counts) {
    if (count > most || (count === most && length > columns)) [columns, most] = [length, count];
  }
  return { agreement: rows.length === 0 ? 0 : most / rows.length, columns };
}
