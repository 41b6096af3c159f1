import { MOST_COLUMNS } from "../csv/parse-records.ts";
import type { BrokenLine, Cell } from "../table.ts";
import { dayOfSerial } from "./date-styles.ts";
import { type PlainCell, readPlainCell } from "./plain-cell.ts";
import type { SharedStrings } from "./shared-strings.ts";
import { xmlText, type XmlHandler, type XmlScanner } from "./xml-scanner.ts";
import { damaged } from "./zip-directory.ts";

/** Of one row's texts together. */
const MOST_ROW_CHARACTERS = 4_194_304;

/** What the numbers in a sheet refer to. */
export interface SheetLegend {
  strings: SharedStrings;
  dateStyles: readonly boolean[];
  since1904: boolean;
}

/** Makes rows of a sheet's XML as it comes. Rows without any value are left out, as empty lines of a CSV file are. */
export class SheetRows implements XmlHandler {
  rows: Cell[][] = [];
  lines: number[] = [];
  broken: BrokenLine[] = [];
  /** How many cells `rows` holds, empty ones among them. */
  cells = 0;
  /** How many row elements were closed, those that were skipped among them. */
  done = 0;
  readonly #legend: SheetLegend;
  /** Row elements of which only the number is looked at. */
  readonly #skip: number;
  #line = 0;
  #row: Cell[] = [];
  #filled = false;
  #tooWide = false;
  #characters = 0;
  #column = -1;
  #type: string | null = null;
  /** -1 where none is named. */
  #style = -1;
  #phonetic = false;
  readonly #plain: PlainCell = {
    column: 0,
    style: -1,
    isShared: false,
    valueFrom: 0,
    valueTo: 0,
    end: 0,
  };

  constructor(legend: SheetLegend, skip: number) {
    this.#legend = legend;
    this.#skip = skip;
  }

  /** What has come since the last call. */
  take(): { rows: Cell[][]; lines: number[]; broken: BrokenLine[] } {
    const taken = { rows: this.rows, lines: this.lines, broken: this.broken };
    [this.rows, this.lines, this.broken] = [[], [], []];
    this.cells = 0;
    return taken;
  }

  open(name: string, scanner: XmlScanner): void {
    if (name === "c") {
      if (this.done >= this.#skip) this.#openCell(scanner);
    } else if (name === "v" || name === "t") {
      scanner.gathering = this.done >= this.#skip && !this.#phonetic;
    } else if (name === "row") this.#openRow(scanner);
    else if (name === "rPh") this.#phonetic = true;
  }

  close(name: string, scanner: XmlScanner): void {
    if (name === "c") {
      if (this.done >= this.#skip) this.#takeValue(scanner.text);
    } else if (name === "v" || name === "t") {
      scanner.gathering = false;
    } else if (name === "row") this.#closeRow();
    else if (name === "rPh") this.#phonetic = false;
  }

  takeWhole(xml: string, from: number, scanner: XmlScanner): number {
    const cell = this.#plain;
    if (scanner.gathering || this.#phonetic || !readPlainCell(xml, from, cell)) return -1;
    if (this.done < this.#skip) return cell.end;
    this.#column = cell.column;
    this.#type = cell.isShared ? "s" : null;
    this.#style = cell.style;
    this.#takeValue(xml.slice(cell.valueFrom, cell.valueTo));
    return cell.end;
  }

  #openRow(scanner: XmlScanner): void {
    const told = Number(scanner.attribute("r") ?? Number.NaN);
    this.#line = told > this.#line && told <= 1_048_576 ? told : this.#line + 1;
    this.#row = [];
    this.#filled = false;
    this.#tooWide = false;
    this.#characters = 0;
    this.#column = -1;
  }

  #openCell(scanner: XmlScanner): void {
    scanner.text = "";
    const place = scanner.attribute("r");
    this.#column = place === null ? this.#column + 1 : columnOf(place);
    this.#type = scanner.attribute("t");
    const style = scanner.attribute("s");
    this.#style = style === null ? -1 : Number(style);
  }

  #takeValue(raw: string): void {
    if (raw === "") return;
    const cell = this.#value(raw);
    if (cell === "") return;
    if (typeof cell === "string") this.#characters += cell.length;
    if (this.#characters > MOST_ROW_CHARACTERS) throw damaged(`row ${this.#line} is too long`);
    if (this.#column >= MOST_COLUMNS) {
      this.#tooWide = true;
      return;
    }
    while (this.#row.length < this.#column) this.#row.push("");
    this.#row[this.#column] = cell;
    this.#filled = true;
  }

  #value(raw: string): Cell {
    switch (this.#type) {
      case "s":
        return this.#legend.strings.get(Number(raw));
      case "b":
        return raw === "1" || raw === "true";
      case "str":
      case "inlineStr":
      case "e":
        return xmlText(raw);
      case "d": {
        const date = new Date(/[zZ]|[+-]\d\d:\d\d$/.test(raw) ? raw : `${raw}Z`);
        return Number.isNaN(date.getTime()) ? xmlText(raw) : date;
      }
      default: {
        const number = Number(raw);
        if (Number.isNaN(number)) return xmlText(raw);
        const isDay = this.#legend.dateStyles[this.#style] === true;
        return isDay ? dayOfSerial(number, this.#legend.since1904) : number;
      }
    }
  }

  #closeRow(): void {
    this.done += 1;
    if (this.done <= this.#skip) return;
    if (this.#tooWide) {
      this.broken.push({ line: this.#line, reason: `more than ${MOST_COLUMNS} columns` });
    } else if (this.#filled) {
      this.rows.push(this.#row);
      this.lines.push(this.#line);
      this.cells += this.#row.length;
    }
    this.#row = [];
  }
}

/** `A` is 0, `AB` is 27; the row's number behind it does not matter. */
function columnOf(place: string): number {
  let column = 0;
  for (let at = 0; at < place.length; at += 1) {
    const letter = place.charCodeAt(at) & ~32;
    if (letter < 65 || letter > 90) break;
    column = column * 26 + letter - 64;
  }
  return column - 1;
}
