import type { Cell } from "../../tables/table.ts";

/** In which order the parts of a day stand where all three are numbers and the year is not first. */
export type DayOrder = "dmy" | "mdy";

const FIRST_YEAR = 2000;
const LAST_YEAR = 2099;
const DAY_MS = 86_400_000;
/** Day numbers of spreadsheets that are taken for days: 1982 to 2064. */
const SERIAL = { from: 30_000, to: 60_000 };

const ISO = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?=$|[T\s])/;
const PACKED = /^(\d{4})(\d{2})(\d{2})$/;
const NUMBERS = /^(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?=$|[,\s])/;
const MONTH_ONLY = /^(\d{4})-(\d{2})$/;
const WORDS =
  /^(?:\p{L}+\.?,?\s+)?(?:(\d{1,2})(?:st|nd|rd|th|\.|º)?[\s-]+(?:de\s+)?(\p{L}+)\.?,?[\s-]+(?:de\s+)?(\d{4}|\d{2})|(\p{L}+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})|(\p{L}+)\.?\s+(\d{4}))(?=$|[,\s])/u;

/** Beginnings of the months' names, without accents: English, German, French, Spanish, Italian, Portuguese, Dutch. */
const MONTHS: readonly RegExp[] = [
  /^(?:jan|ene|gen)/,
  /^(?:feb|fev)/,
  /^(?:mar|mrz|maer|maa|mrt)/,
  /^(?:apr|avr|abr)/,
  /^(?:may|mai|maj|mag|mei)/,
  /^(?:jun|juin|giu)/,
  /^(?:jul|juil|lug)/,
  /^(?:aug|aou|ago)/,
  /^(?:sep|set)/,
  /^(?:oct|okt|ott|out)/,
  /^(?:nov)/,
  /^(?:dec|dez|dic)/,
];

/**
 * The day that a cell says, as `2026-11-21`; null where it says none between 2000 and 2099. Times behind it are left out:
 * platforms date by the account's own zone, and nothing is moved by an hour.
 */
export function readDay(cell: Cell | undefined, order: DayOrder): string | null {
  if (typeof cell === "string") return ofText(cell.trim(), order);
  if (cell instanceof Date) return inRange(cell.toISOString().slice(0, 10));
  return typeof cell === "number" ? ofNumber(cell) : null;
}

function ofText(text: string, order: DayOrder): string | null {
  const iso = ISO.exec(text) ?? PACKED.exec(text);
  if (iso) return dayOf(iso[1], iso[2], iso[3]);
  const numbers = NUMBERS.exec(text);
  if (numbers) {
    const [, first, , second, year] = numbers;
    return order === "dmy" ? dayOf(year, second, first) : dayOf(year, first, second);
  }
  const month = MONTH_ONLY.exec(text);
  if (month) return dayOf(month[1], month[2], "1");
  if (/^\d+(\.\d+)?$/.test(text)) return ofNumber(Number(text));
  const words = WORDS.exec(text);
  if (!words) return null;
  const name = words[2] ?? words[4] ?? words[7] ?? "";
  return dayOf(words[3] ?? words[6] ?? words[8], monthOf(name), words[1] ?? words[5] ?? "1");
}

function monthOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const month = MONTHS.findIndex((names) => names.test(plain));
  return String(month + 1);
}

function ofNumber(value: number): string | null {
  if (value >= 20_000_101 && value <= 20_991_231) return ofText(String(value), "dmy");
  if (value < SERIAL.from || value > SERIAL.to) return null;
  const day = new Date(Date.UTC(1899, 11, 30) + Math.floor(value) * DAY_MS);
  return inRange(day.toISOString().slice(0, 10));
}

function dayOf(year = "", month = "", day = ""): string | null {
  const text = `${year.length === 2 ? `20${year}` : year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const date = new Date(`${text}T00:00:00Z`);
  // The 31st of a month of 30 days becomes the 1st of the next one.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text) return null;
  return inRange(text);
}

function inRange(day: string): string | null {
  const year = Number(day.slice(0, 4));
  return year >= FIRST_YEAR && year <= LAST_YEAR ? day : null;
}

/** What a day's text says of the order; null where it could be either, or has its year first. */
export function orderTold(text: string): DayOrder | null {
  const numbers = NUMBERS.exec(text.trim());
  if (!numbers) return null;
  const [first, second] = [Number(numbers[1]), Number(numbers[3])];
  if (first > 12 && second <= 12) return "dmy";
  return second > 12 && first <= 12 ? "mdy" : null;
}

/** Whether a text is a day whose order has to be known. */
export const needsOrder = (text: string): boolean => NUMBERS.test(text.trim());
