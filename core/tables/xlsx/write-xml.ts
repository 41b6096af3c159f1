export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** What a cell can hold. */
const MOST_CHARACTERS = 32_767;
// eslint-disable-next-line no-control-regex -- what XML 1.0 has no place for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
// eslint-disable-next-line no-control-regex -- likewise
const NEEDS_WORK = /[&<>"\u0000-\u001f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_/;

/** Text as it may stand in an element or an attribute of a workbook; Excel would read `_x0041_` as the letter A. */
export function escapeXml(given: string): string {
  const text = given.length > MOST_CHARACTERS ? given.slice(0, MOST_CHARACTERS) : given;
  if (!NEEDS_WORK.test(text)) return text;
  return text
    .toWellFormed()
    .replace(FORBIDDEN, "")
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A column's letters, from 0: A, B, … Z, AA. */
export function columnName(index: number): string {
  let name = "";
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26))
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
  return name;
}
