export type CsvCell = string | number | boolean | null;

/** A text that begins so is run as a formula by spreadsheets: https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NEEDS_QUOTES = /[",\r\n]/;

/** A text as a spreadsheet shows it and does not run it: with an apostrophe before it where it would be a formula. */
export const harmlessText = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

function csvCell(cell: CsvCell): string {
  if (cell === null) return "";
  if (typeof cell !== "string") return String(cell);
  const harmless = harmlessText(cell);
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * One line as RFC 4180 writes it, with its end. Texts that a spreadsheet would run get an apostrophe before them;
 * numbers stay as they are.
 */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}
