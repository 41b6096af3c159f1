import type { BrokenLine } from "../table.ts";

/** How many characters a record may have, so that one quotation mark that nothing closes does not take in the file. */
const MOST_IN_RECORD = 1_048_576;
/** Of one row. Excel has 16,384; no export comes near this. */
export const MOST_COLUMNS = 4_096;

export interface Records {
  rows: string[][];
  lines: number[];
  broken: BrokenLine[];
  /** How many characters the complete records take: a multiple of lines. */
  consumed: number;
  /** The line on which the rest begins. */
  line: number;
}

export interface RecordOptions {
  delimiter: string;
  lineEnd: "\n" | "\r";
  /** Of the first character. */
  line: number;
  /** Whether nothing follows this text. */
  final: boolean;
}

/**
 * The records that are complete in a text that begins with one. RFC 4180, and what people send besides: any delimiter,
 * text after a closing quotation mark, quotation marks in the middle of a field, empty lines (skipped, but counted).
 */
export function parseRecords(text: string, options: RecordOptions): Records {
  return new RecordParser(text, options).parse();
}

const QUOTE = 34;
const RETURN = 13;

class RecordParser {
  readonly #text: string;
  readonly #delimiter: string;
  readonly #lineEnd: string;
  readonly #final: boolean;
  readonly #result: Records;
  #at = 0;
  /** Where the next quotation mark is; the end where there is none. */
  #quote: number;

  constructor(text: string, options: RecordOptions) {
    this.#text = text;
    this.#delimiter = options.delimiter;
    this.#lineEnd = options.lineEnd;
    this.#final = options.final;
    this.#result = { rows: [], lines: [], broken: [], consumed: 0, line: options.line };
    this.#quote = this.#quoteFrom(0);
  }

  parse(): Records {
    const text = this.#text;
    const length = text.length;
    while (this.#at < length) {
      const end = this.#endOfLine(this.#at);
      if (end === length && !this.#final) break;
      if (this.#quote < this.#at) this.#quote = this.#quoteFrom(this.#at);
      if (this.#quote >= end) this.#takePlain(end);
      else if (!this.#takeQuoted(end)) break;
    }
    this.#result.consumed = Math.min(this.#at, length);
    return this.#result;
  }

  #quoteFrom(from: number): number {
    const found = this.#text.indexOf('"', from);
    return found < 0 ? this.#text.length : found;
  }

  /** Where the line's end stands; the text's end where there is none. */
  #endOfLine(from: number): number {
    const found = this.#text.indexOf(this.#lineEnd, from);
    return found < 0 ? this.#text.length : found;
  }

  /** The end of a line's text: before the carriage return of a pair. */
  #contentEnd(from: number, end: number): number {
    return end > from && this.#text.charCodeAt(end - 1) === RETURN ? end - 1 : end;
  }

  #takePlain(end: number): void {
    const text = this.#text;
    const delimiter = this.#delimiter;
    let start = this.#at;
    const contentEnd = this.#contentEnd(start, end);
    if (contentEnd > start) {
      const row: string[] = [];
      let next = text.indexOf(delimiter, start);
      while (next >= 0 && next < contentEnd) {
        row.push(text.slice(start, next));
        start = next + 1;
        next = text.indexOf(delimiter, start);
      }
      row.push(text.slice(start, contentEnd));
      this.#push(row);
    }
    this.#at = end + 1;
    this.#result.line += 1;
  }

  /** False where the record is not complete. */
  #takeQuoted(firstEnd: number): boolean {
    const text = this.#text;
    const delimiterCode = this.#delimiter.charCodeAt(0);
    const begin = this.#at;
    const row: string[] = [];
    let at = begin;
    let end = firstEnd;
    let lines = 1;
    for (;;) {
      let cell = "";
      if (at < end && text.charCodeAt(at) === QUOTE) {
        const close = this.#closingQuote(at + 1, begin + MOST_IN_RECORD);
        if (close < 0) return this.#giveUp(begin, firstEnd);
        cell = text.slice(at + 1, close);
        if (cell.includes('"')) cell = cell.replaceAll('""', '"');
        at = close + 1;
        while (end < at) {
          lines += 1;
          end = this.#endOfLine(end + 1);
        }
        if (end === text.length && !this.#final) return false;
      }
      const contentEnd = this.#contentEnd(at, end);
      let stop = at;
      while (stop < contentEnd && text.charCodeAt(stop) !== delimiterCode) stop += 1;
      if (stop > at) cell += text.slice(at, stop);
      row.push(cell);
      if (stop === contentEnd) break;
      at = stop + 1;
    }
    this.#push(row);
    this.#at = end + 1;
    this.#result.line += lines;
    return true;
  }

  /** Of the quotation mark that ends the field; -1 where there is none before `limit`. A pair of them stands for one. */
  #closingQuote(from: number, limit: number): number {
    const text = this.#text;
    let close = text.indexOf('"', from);
    while (close >= 0 && close < limit && text.charCodeAt(close + 1) === QUOTE) {
      close = text.indexOf('"', close + 2);
    }
    return close < limit ? close : -1;
  }

  /** A record without its end: more text may bring it, or the line is set aside and the next one begins anew. */
  #giveUp(begin: number, firstEnd: number): boolean {
    // One more than the limit: at the limit itself a pair of marks may be cut.
    if (!this.#final && this.#text.length - begin <= MOST_IN_RECORD + 1) return false;
    this.#result.broken.push({
      line: this.#result.line,
      reason: "a quotation mark is opened and never closed",
    });
    this.#at = firstEnd + 1;
    this.#result.line += 1;
    return true;
  }

  #push(row: string[]): void {
    const { rows, lines, broken, line } = this.#result;
    if (row.length > MOST_COLUMNS) {
      broken.push({ line, reason: `more than ${MOST_COLUMNS} columns` });
      return;
    }
    rows.push(row);
    lines.push(line);
  }
}
