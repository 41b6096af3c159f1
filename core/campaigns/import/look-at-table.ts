import { AppError } from "../../kernel/errors.ts";
import type { Cell, Table, TableBatch } from "../../tables/table.ts";
import { currencyOfName, currencyOfSign, isCurrency } from "./column-names.ts";
import { METRIC_FIELDS } from "./field.ts";
import type { FoundPlan, SheetLayout } from "./layout.ts";
import { type DayOrder, needsOrder, orderTold, readDay } from "./read-day.ts";
import { type HeaderLayout, type Mapping, NEEDED, readHeader } from "./read-header.ts";
import { type DecimalMark, markTold } from "./read-number.ts";
import { platformOfFile, platformSlug } from "./read-platform.ts";

/** Rows among which the header is looked for. */
const HEADER_ROWS = 60;
/** Rows that are looked at in any case, so that one odd cell does not decide. */
const SAMPLE_ROWS = 2_000;
/** Different days that are weighed where no single one tells the order. */
const WEIGHED_DAYS = 1_000;

/** What somebody who knows the file says of it. */
export interface ImportHints {
  fileName: string;
  mapping: Mapping;
  platform: string | null;
  currency: string | null;
  dayOrder: DayOrder | null;
  decimalMark: DecimalMark | null;
}

/**
 * Finds out how a table is to be read: the header of each sheet, the order of days, the decimal mark, platform and
 * currency. Reads on for as long as one of them is open, to the end where nothing tells.
 * @throws AppError `validation_failed` where no sheet has a header that is understood
 */
export async function lookAtTable(table: Table, hints: ImportHints): Promise<FoundPlan> {
  const found: { sheet: string; layout: HeaderLayout; currency: string | null }[] = [];
  const evidence = new Evidence();
  const seen: string[] = [];
  const places = table.format === "csv" ? [null] : table.sheets.keys();
  for (const place of places) {
    const from = place === null ? undefined : ({ format: "xlsx", sheet: place, rows: 0 } as const); // else its format would be any text
    const looked = await lookAtSheet(
      table.batches(from),
      place === null ? null : (table.sheets[place] ?? ""),
      {
        hints,
        evidence,
        seen,
      },
    );
    if (looked) found.push({ ...looked, currency: evidence.takeCurrency() });
  }
  if (found.length === 0) throw noHeader(seen, hints.mapping);
  const mark = hints.decimalMark ?? evidence.mark ?? (table.delimiter === ";" ? "," : ".");
  // A workbook with one sheet of data may say on another what it is about; of several, each speaks for itself.
  const about = found.length === 1 ? table.sheets : [];
  const sheets = found.map(({ sheet, layout, currency }): [string, SheetLayout] => [
    sheet,
    {
      ...layout,
      platform:
        hints.platform === null
          ? platformOfFile(layout.names, [sheet, hints.fileName, ...about])
          : platformSlug(hints.platform),
      currency: hints.currency ?? currencyOf(layout) ?? currency ?? "XXX",
    },
  ]);
  return {
    mark,
    order: hints.dayOrder ?? evidence.order(mark),
    sheets: Object.fromEntries(sheets),
  };
}

interface Looking {
  hints: ImportHints;
  evidence: Evidence;
  /** Of rows in which no header was found, for the error. */
  seen: string[];
}

async function lookAtSheet(
  batches: AsyncGenerator<TableBatch, void, undefined>,
  wanted: string | null,
  { hints, evidence, seen }: Looking,
): Promise<{ sheet: string; layout: HeaderLayout } | null> {
  let layout: HeaderLayout | null = null;
  let head: { cells: Cell[]; line: number }[] = [];
  let looked = 0;
  for await (const { rows, lines, sheet } of batches) {
    if (wanted !== null && sheet !== wanted) break;
    if (layout === null) {
      head = [...head, ...rows.map((cells, index) => ({ cells, line: lines[index] ?? 0 }))];
      head = head.slice(0, HEADER_ROWS);
      layout = readHeader(head, hints.mapping);
      if (layout === null && head.length === HEADER_ROWS) break;
    }
    if (layout === null) continue;
    for (const [index, row] of rows.entries()) {
      if ((lines[index] ?? 0) > layout.headerLine) evidence.take(row, layout);
    }
    looked += rows.length;
    if (looked >= SAMPLE_ROWS && evidence.isEnough(hints)) break;
  }
  if (layout !== null) return { sheet: wanted ?? "", layout };
  for (const { cells } of head.slice(0, 3))
    seen.push(cells.filter((cell) => cell !== "").join(", "));
  return null;
}

/** What cells tell of how the whole file is written. */
class Evidence {
  #currency: string | null = null;
  #points = 0;
  #commas = 0;
  #openNumbers = false;
  #orders = { dmy: 0, mdy: 0 };
  readonly #openDays = new Set<string>();

  take(row: readonly Cell[], { columns, channels }: HeaderLayout): void {
    const day = columns.day === undefined ? "" : row[columns.day];
    if (typeof day === "string" && needsOrder(day)) {
      const order = orderTold(day);
      if (order !== null) this.#orders[order] += 1;
      else if (this.#openDays.size < WEIGHED_DAYS) this.#openDays.add(day);
    }
    for (const field of METRIC_FIELDS) this.#takeNumber(row[columns[field] ?? -1]);
    for (const channel of channels) this.#takeNumber(row[channel.spend ?? -1]);
  }

  #takeNumber(cell: Cell | undefined): void {
    if (typeof cell !== "string" || cell === "") return;
    const mark = markTold(cell);
    if (mark === ".") this.#points += 1;
    else if (mark === ",") this.#commas += 1;
    else if (cell.includes(",") || cell.includes(".")) this.#openNumbers = true;
    this.#currency ??= currencyOfSign(cell) ?? codeIn(cell);
  }

  /** The currency of one sheet's cells; the next sheet's are another's. */
  takeCurrency(): string | null {
    const currency = this.#currency;
    this.#currency = null;
    return currency;
  }

  get mark(): DecimalMark | null {
    if (this.#points === this.#commas) return null;
    return this.#points > this.#commas ? "." : ",";
  }

  isEnough({ dayOrder, decimalMark }: ImportHints): boolean {
    const daysTold =
      dayOrder !== null || this.#openDays.size === 0 || this.#orders.dmy !== this.#orders.mdy;
    return daysTold && (decimalMark !== null || !this.#openNumbers || this.mark !== null);
  }

  /** Where no day has a number above 12: the order in which they lie closer together, as the days of a report do. */
  order(mark: DecimalMark): DayOrder {
    const { dmy, mdy } = this.#orders;
    if (dmy !== mdy) return dmy > mdy ? "dmy" : "mdy";
    const [asDmy, asMdy] = [this.#span("dmy"), this.#span("mdy")];
    if (asDmy !== asMdy) return asDmy < asMdy ? "dmy" : "mdy";
    const slashed = [...this.#openDays].some((day) => day.includes("/"));
    return slashed && mark === "." ? "mdy" : "dmy";
  }

  #span(order: DayOrder): number {
    const times = [...this.#openDays].map((day) => Date.parse(readDay(day, order) ?? ""));
    return Math.max(...times) - Math.min(...times);
  }
}

function currencyOf({ names, columns, channels }: HeaderLayout): string | null {
  const places = [columns.spend, columns.revenue, ...channels.map(({ spend }) => spend)];
  for (const place of places) {
    const currency = currencyOfName(names[place ?? -1] ?? "");
    if (currency !== null) return currency;
  }
  return null;
}

function codeIn(text: string): string | null {
  const code = /^([A-Z]{3})\s?[\d-]|\d\s?([A-Z]{3})$/.exec(text.trim());
  const found = code?.[1] ?? code?.[2];
  return found !== undefined && isCurrency(found) ? found : null;
}

function noHeader(seen: readonly string[], mapping: Mapping): AppError {
  const shown =
    seen.length === 0 ? "It has no rows." : `It begins with: ${seen.join(" | ").slice(0, 400)}`;
  const mapped =
    Object.keys(mapping).length === 0
      ? " If your columns have other names, say them by `mapping`."
      : "";
  return new AppError("validation_failed", {
    message: `No header was found that has ${NEEDED}.${mapped} ${shown}`,
  });
}
