import type { LimitRule, LimitWindow } from "./limit-rule.ts";

const LENGTH_MS = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
} as const;
const WEEK_MS = 7 * LENGTH_MS.day;
/** 1970 began on a Thursday; weeks begin on Monday. */
const FIRST_MONDAY_MS = 4 * LENGTH_MS.day;

/** The window that a moment falls into, aligned to UTC. `total` and concurrency (null) begin in 1970 and never end. */
export function windowAt(
  window: LimitWindow | null,
  now: number,
): { start: number; end: number | null } {
  if (window === null || window === "total") return { start: 0, end: null };
  if (window === "month") {
    const date = new Date(now);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    return { start: Date.UTC(year, month), end: Date.UTC(year, month + 1) };
  }
  if (window === "week") {
    const start = Math.floor((now - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
    return { start, end: start + WEEK_MS };
  }
  const length = LENGTH_MS[window];
  const start = Math.floor(now / length) * length;
  return { start, end: start + length };
}

/** What a rule allows at a moment: its maximum, or the raise that holds, and every refill until then. */
export function maxAt(rule: LimitRule, now: number): number {
  const max = rule.raise && now < rule.raise.until ? rule.raise.max : rule.max;
  if (!rule.refill) return max;
  return max + rule.refill.amount * periodsBegun(rule.refill.every, rule.refill.since, now);
}

/** How many days, weeks or months have begun after one moment and until another. */
function periodsBegun(every: "day" | "week" | "month", since: number, now: number): number {
  if (now <= since) return 0;
  const [first, last] = [windowAt(every, since).start, windowAt(every, now).start];
  if (every !== "month")
    return Math.round((last - first) / (every === "day" ? LENGTH_MS.day : WEEK_MS));
  const [from, to] = [new Date(first), new Date(last)];
  return (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
}
