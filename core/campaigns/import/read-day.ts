import { cellText } from "../../tables/cell-text.ts";
import type { Cell } from "../../tables/table.ts";
import { gregorianOf, isJalaliYear } from "./jalali-day.ts";
import { monthOf } from "./month-names.ts";
import { plainDigits } from "./plain-digits.ts";

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
const MONTH_ONLY = /^(\d{4})[-/](\d{2})$/;
const WORDS =
  /^(?:\p{L}[\p{L}\u200c]*(?:\s\p{L}+)?\.?[,،]?\s+)?(?:(\d{1,2})(?:st|nd|rd|th|\.|º)?[\s-]+(?:de\s+)?(\p{L}+)\.?,?[\s-]+(?:de\s+)?(\d{4}|\d{2})|(\p{L}+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})|(\p{L}+)\.?\s+(\d{4}))(?=$|[,\s])/u;

/**
 * The day that a cell says, as `2026-11-21`; null where it says none between 2000 and 2099. Times behind it are left out:
 * platforms date by the account's own zone, and nothing is moved by an hour. Days of the Persian calendar are known by
 * their year, in digits of any of the scripts.
 */
export function readDay(cell: Cell | undefined, order: DayOrder): string | null {
  if (typeof cell === "string") return ofText(plainDigits(cell).trim(), order);
  if (cell instanceof Date) return inRange(cell.toISOString().slice(0, 10));
  return typeof cell === "number" ? ofNumber(cell) : null;
}

function ofText(text: string, order: DayOrder): string | null {
  const iso = ISO.exec(text) ?? PACKED.exec(text);
  if (iso) return dayOf(iso[1], iso[2], iso[3]);
  const numbers = NUMBERS.exec(text);
  if (numbers) {
    const [, first, , second, year = ""] = numbers;
    return order === "dmy" || isJalaliYear(year)
      ? dayOf(year, second, first)
      : dayOf(year, first, second);
  }
  const month = MONTH_ONLY.exec(text);
  if (month) return dayOf(month[1], month[2], "1");
  if (/^\d+(\.\d+)?$/.test(text)) return ofNumber(Number(text));
  const words = WORDS.exec(text);
  if (!words) return null;
  const name = words[2] ?? words[4] ?? words[7] ?? "";
  const year = words[3] ?? words[6] ?? words[8] ?? "";
  return dayOf(year, String(monthOf(name, isJalaliYear(year))), words[1] ?? words[5] ?? "1");
}

function ofNumber(value: number): string | null {
  // 20261121, or 14050830: no serial number is as large.
  if (value >= 13_780_101 && value <= 20_991_231) return ofText(String(value), "dmy");
  if (value < SERIAL.from || value > SERIAL.to) return null;
  const day = new Date(Date.UTC(1899, 11, 30) + Math.floor(value) * DAY_MS);
  return inRange(day.toISOString().slice(0, 10));
}

function dayOf(year = "", month = "", day = ""): string | null {
  if (isJalaliYear(year)) {
    const gregorian = gregorianOf(Number(year), Number(month), Number(day));
    return gregorian === null ? null : inRange(gregorian);
  }
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

/** The parts of a day whose order has to be known; null for all others. */
function openParts(text: string): { first: number; second: number } | null {
  const numbers = NUMBERS.exec(plainDigits(text).trim());
  if (!numbers || isJalaliYear(numbers[4] ?? "")) return null;
  return { first: Number(numbers[1]), second: Number(numbers[3]) };
}

/** What a day's text says of the order; null where it could be either, or has its year first. */
export function orderTold(text: string): DayOrder | null {
  const parts = openParts(text);
  if (parts === null) return null;
  const { first, second } = parts;
  if (first > 12 && second <= 12) return "dmy";
  return second > 12 && first <= 12 ? "mdy" : null;
}

/** Whether a text is a day whose order has to be known. */
export const needsOrder = (text: string): boolean => openParts(text) !== null;

const SHOWN = 60;

/** Why a cell that `readDay` finds no day in has none, in words for whoever sent the file. */
export function noDay(cell: Cell, order: DayOrder): string {
  const text = cellText(cell);
  const no = `“${text.slice(0, SHOWN)}” is no day`;
  if (readDay(cell, order === "dmy" ? "mdy" : "dmy") !== null) {
    const [read, other] = order === "dmy" ? ["day/month/year", "mdy"] : ["month/day/year", "dmy"];
    return `${no} as ${read}, which this file's others are; is it day_order ${other}?`;
  }
  const year = Number(/(?<!\d)\d{4}(?!\d)/.exec(plainDigits(text))?.[0] ?? Number.NaN);
  if (year > 1420 && year < 1500)
    return `${no}: ${year} may be a year of the Persian or of the lunar calendar; write it by the Gregorian one`;
  if (year < FIRST_YEAR && !isJalaliYear(String(year)))
    return `${no} between ${FIRST_YEAR} and ${LAST_YEAR}`;
  return no;
}
