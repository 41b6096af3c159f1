const DAY_MS = 86_400_000;
/** 1 Farvardin 1404, in days since 1970. */
const ANCHOR = Date.UTC(2025, 2, 21) / DAY_MS;
/**
 * Years of the Persian calendar that are taken for such: 1999 to 2042. The same days are 1420 to 1465 by the lunar
 * calendar, so that a year up to 1420 is said without doubt, and a later one may be either.
 */
const YEARS = { first: 1378, last: 1420 };

/** Whether a year of four digits is one of the Persian calendar. */
export const isJalaliYear = (year: string): boolean =>
  year.length === 4 && Number(year) >= YEARS.first && Number(year) <= YEARS.last;

/** A day of the Persian calendar as `2024-08-02`; null where it has none such. */
export function gregorianOf(year: number, month: number, day: number): string | null {
  if (month < 1 || month > 12 || day < 1 || day > monthLength(year, month)) return null;
  const before = month <= 7 ? (month - 1) * 31 : (month - 1) * 30 + 6;
  const number = ANCHOR + daysBefore(year) - daysBefore(1404) + before + day - 1;
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

/** Days before a year, from a fixed one: eight leap years in 33, which the spring's beginning keeps to in these centuries. */
const daysBefore = (year: number): number => 365 * year + Math.floor((8 * year + 21) / 33);

function monthLength(year: number, month: number): number {
  if (month <= 6) return 31;
  return month <= 11 || daysBefore(year + 1) - daysBefore(year) === 366 ? 30 : 29;
}
