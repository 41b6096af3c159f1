import { XmlScanner, xmlText, type XmlHandler } from "./xml-scanner.ts";

/** Formats that need not be written down (ECMA-376, 18.8.30), of those that show a day. */
const BUILT_IN = new Set([
  14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 34, 35, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58,
]);
/** What is not shown by the number itself: texts, escaped characters, conditions and colours. */
const NOT_CODES = /"[^"]*"|\\.|_.|\*.|\[[^\]]*\]/g;

/** For each style of a cell, whether it shows its number as a day. */
export function readDateStyles(stylesXml: string): boolean[] {
  const handler = new StylesHandler();
  new XmlScanner(handler).push(stylesXml);
  return handler.formats.map((id) => handler.isDay.get(id) ?? BUILT_IN.has(id));
}

/** Times alone (`h:mm`) are left as numbers: they are part of a day, and no day. */
function showsDay(code: string): boolean {
  return /[yd]|m{3,5}/i.test(code.replace(NOT_CODES, "")) && !/^general$/i.test(code);
}

class StylesHandler implements XmlHandler {
  readonly isDay = new Map<number, boolean>();
  readonly formats: number[] = [];
  #inCells = false;

  open(name: string, scanner: XmlScanner): void {
    if (name === "cellXfs") this.#inCells = true;
    else if (name === "numFmt") {
      const id = Number(scanner.attribute("numFmtId"));
      this.isDay.set(id, showsDay(xmlText(scanner.attribute("formatCode") ?? "")));
    } else if (name === "xf" && this.#inCells) {
      this.formats.push(Number(scanner.attribute("numFmtId") ?? 0));
    }
  }

  close(name: string): void {
    if (name === "cellXfs") this.#inCells = false;
  }
}

const DAY = 86_400_000;
/** The day that has the number 0 when the leap day of 1900, which never was, is left out. */
const FIRST_1900 = Date.UTC(1899, 11, 31);
const FIRST_1904 = Date.UTC(1904, 0, 1);

/**
 * The day that a sheet's number means, to the second. Calendars count from 1900 or 1904; the first one has a 29th of
 * February 1900 at 60, since Lotus 1-2-3 had it. A number that is no day stays a number.
 */
export function dayOfSerial(serial: number, since1904: boolean): Date | number {
  if (!(serial >= 0 && serial < 2_958_466)) return serial;
  const days = !since1904 && serial >= 60 ? serial - 1 : serial;
  const milliseconds = Math.round((days * DAY) / 1_000) * 1_000;
  return new Date((since1904 ? FIRST_1904 : FIRST_1900) + milliseconds);
}
