/** Languages that reports are written in. */
export const REPORT_LANGUAGES = ["en", "fa"] as const;
export type ReportLanguage = (typeof REPORT_LANGUAGES)[number];

export type Direction = "ltr" | "rtl";

/** Days as the platforms date them, `2026-10-01`; both included. */
export interface Period {
  from: string;
  to: string;
}

/**
 * What a number stands for, which says how it is shown: `count` 12,345; `decimal` 3.25; `money` an amount in a currency;
 * `ratio` 0.032 as 3.2 %; `multiple` 4.1 as 4.1×; `date` a day, `2026-10-01`.
 */
export type ValueKind = "text" | "count" | "decimal" | "money" | "ratio" | "multiple" | "date";

/** Null is "there is no value", such as a ratio over zero; it is never shown as 0. */
export type Value = string | number | null;

export interface Column {
  /** For programs; the same in every language. */
  key: string;
  label: string;
  kind: ValueKind;
}

/** Whose amounts they are: one currency for all, or in each row the one that its column names. */
export type TableCurrency = { code: string } | { column: number };

export interface Table {
  title: string;
  columns: Column[];
  /** As many values a row as there are columns. Amounts are in units of the currency, not in millionths. */
  rows: Value[][];
  /** Null where no column is money. */
  currency: TableCurrency | null;
  /** Sums below the rows. */
  totals: Value[][];
  /** A sentence below the table, such as that it was cut. */
  note: string | null;
}

export interface Series {
  label: string;
  values: (number | null)[];
}

/** All series of a chart are of one kind and currency, so that they share an axis. */
export interface Chart {
  title: string;
  type: "line" | "bar";
  /** Days for `date`, names for `text`. */
  categories: string[];
  categoryKind: "date" | "text";
  kind: Exclude<ValueKind, "text" | "date">;
  currency: string | null;
  series: Series[];
}

/** A figure that the report begins with. */
export interface KeyFigure {
  /** Such as `ctr`; the same in every language. */
  metric: string;
  label: string;
  kind: Exclude<ValueKind, "text" | "date">;
  value: number | null;
  previous: number | null;
  /** Part by which it grew, 0.1 is 10 %; null where there is nothing to compare with. */
  change: number | null;
  /** Whether the change is welcome; null where it is neither, as with spend. */
  welcome: boolean | null;
  benchmark: { value: number; source: string } | null;
}

export interface KeyFigures {
  /** What the amounts are in; amounts of several currencies are never added. Null where there is no money at all. */
  currency: string | null;
  figures: KeyFigure[];
}

/** What a change is made of: its parts add up to it. */
export interface Movement {
  title: string;
  sentences: string[];
  table: Table;
}

/** Where a benchmark comes from. */
export interface Source {
  name: string;
  /** Such as `2025` or `Apr 2024 – Mar 2025`. */
  period: string;
  url: string | null;
}

export interface Passage {
  title: string;
  sentences: string[];
}

/**
 * A report as data: what it says, in its language, and nothing of how it looks. Sentences and labels are in the
 * language already; numbers and days are not, each renderer writes them as its readers expect.
 */
export interface Report {
  /** Grows when what programs read in the JSON changes. */
  version: 1;
  language: ReportLanguage;
  direction: Direction;
  cover: {
    title: string;
    team: string;
    period: Period;
    /** What changes are measured against. */
    previous: Period | null;
    /** Which campaigns it is about, as a sentence. */
    scope: string;
    generatedAt: string;
    timeZone: string;
  };
  summary: string[];
  keyFigures: KeyFigures[];
  charts: Chart[];
  tables: { byDay: Table; byPlatform: Table; byCampaign: Table };
  movements: Movement[];
  benchmarks: { table: Table; sources: Source[]; sentences: string[] };
  appendix: Passage[];
}

/** The currency of a row's amounts; null where the table has none. */
export function currencyOf(table: Pick<Table, "currency">, row: readonly Value[]): string | null {
  if (table.currency === null) return null;
  if ("code" in table.currency) return table.currency.code;
  const code = row[table.currency.column];
  return typeof code === "string" ? code : null;
}
