/** `ascii`: no byte has told yet whether it is UTF-8 or Windows-1252. */
export type CsvEncoding = "ascii" | "utf-8" | "windows-1252" | "utf-16le" | "utf-16be";

/** Where a record begins, and all that must be known to go on from there. */
export interface CsvPosition {
  format: "csv";
  /** From the beginning of the file. */
  byte: number;
  /** Of that record, from 1. */
  line: number;
  encoding: CsvEncoding;
  delimiter: string;
  lineEnd: "\n" | "\r";
}
