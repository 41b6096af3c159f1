/** How a reference table is written as CSV. */
export interface CsvManner {
  delimiter: string;
  lineEnd: "\n" | "\r\n" | "\r";
  encoding: "utf-8" | "utf-8-mark" | "utf-16le" | "utf-16be" | "windows-1252";
  /** Quotation marks around every cell, not only where they are needed. */
  quoteAll: boolean;
  lastLineEnd: boolean;
}

/** RFC 4180, in any manner. */
export function writeCsv(rows: readonly (readonly string[])[], manner: CsvManner): Uint8Array {
  const cell = (text: string, alone: boolean) =>
    manner.quoteAll ||
    /["\r\n]/.test(text) ||
    text.includes(manner.delimiter) ||
    (alone && text === "")
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  const lines = rows.map((row) =>
    row.map((text) => cell(text, row.length === 1)).join(manner.delimiter),
  );
  const text = lines.join(manner.lineEnd) + (manner.lastLineEnd ? manner.lineEnd : "");
  return encode(text, manner.encoding);
}

function encode(text: string, encoding: CsvManner["encoding"]): Uint8Array {
  if (encoding === "utf-8") return Buffer.from(text, "utf-8");
  if (encoding === "utf-8-mark") return Buffer.from(`\ufeff${text}`, "utf-8");
  if (encoding === "windows-1252") return Buffer.from(text.replaceAll("€", "\u0080"), "latin1");
  const little = Buffer.from(`\ufeff${text}`, "utf16le");
  return encoding === "utf-16le" ? little : little.swap16();
}
