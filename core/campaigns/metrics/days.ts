const DAY_MS = 24 * 60 * 60 * 1000;

/** A range of days, both included, as `2026-11-21`. */
export interface Period {
  from: string;
  to: string;
}

const number = (day: string) => Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);

export function addDays(day: string, days: number): string {
  return new Date((number(day) + days) * DAY_MS).toISOString().slice(0, 10);
}

/** How many days a period has. */
export function lengthOf({ from, to }: Period): number {
  return number(to) - number(from) + 1;
}

/** The period of equal length that ends where this one begins. */
export function previousPeriod(period: Period): Period {
  const length = lengthOf(period);
  return { from: addDays(period.from, -length), to: addDays(period.to, -length) };
}

/** Every day of a period. */
export function daysOf(period: Period): string[] {
  return Array.from({ length: lengthOf(period) }, (_, index) => addDays(period.from, index));
}

export function dayOfTime(time: Date): string {
  return time.toISOString().slice(0, 10);
}
