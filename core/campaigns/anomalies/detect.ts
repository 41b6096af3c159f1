import { addDays } from "../metrics/days.ts";

/** A value of one day; `volume` is what it is made of, such as the impressions of a CTR. */
export interface DayValue {
  day: string;
  value: number;
  volume: number;
  /** How far chance alone moves such a value: one standard deviation. */
  noise: number;
}

/** A day that was unlike the days before it. */
export interface Anomaly {
  day: string;
  value: number;
  /** The median of what it was compared with. */
  expected: number;
  /** Within which values a day counts as usual. */
  low: number;
  high: number;
  /** How many spreads it is away; above zero is more than expected. */
  score: number;
  /** With how many days it was compared. */
  days: number;
  /** Whether those were the same weekday, or simply the days before. */
  sameWeekday: boolean;
}

/** Weeks that are looked back for the same weekday, and how many of them must have a value. */
const WEEKS = 8;
const FEWEST_WEEKDAYS = 5;
/** Days that are looked back where a weekday has too few, and how many of them must have a value. */
const DAYS = 28;
const FEWEST_DAYS = 10;
/** How many spreads away from the median a day has to be. */
const SPREADS = 4;
/** How far away it has to be as a share of the median: smaller ones are sure, and of no use to know. */
const SMALLEST_CHANGE = 0.25;
/** The spread is at least this share of the median, so that an even series does not make every ripple one. */
const SMALLEST_SPREAD = 0.05;
/** What makes a median of absolute deviations comparable with a standard deviation, for a normal distribution. */
const MAD_TO_DEVIATION = 1.4826;

/** How many days of history the method looks at. */
export const HISTORY_DAYS = WEEKS * 7;

/**
 * Days from `from` on whose value is far from the median of the same weekday in the eight weeks before. Far is four
 * spreads, a spread being the median absolute deviation (scaled by 1.4826), but no less than what chance alone does and
 * than 5 % of the median. Medians are not moved by earlier outliers, and weekdays are compared with their like, since
 * advertising has a weekly course; where there are fewer than five of them, a day has to be beyond all of the 28 days before.
 * Days of less than the least volume are neither judged nor compared with.
 */
export function detect(
  series: readonly DayValue[],
  { from, leastVolume }: { from: string; leastVolume: number },
): Anomaly[] {
  const solid = series.filter(({ volume }) => volume >= leastVolume);
  const byDay = new Map(solid.map((one) => [one.day, one]));
  return solid.flatMap((one) => {
    if (one.day < from) return [];
    const found = judge(one, byDay);
    return found === null ? [] : [found];
  });
}

function judge(one: DayValue, byDay: ReadonlyMap<string, DayValue>): Anomaly | null {
  const valuesAt = (offsets: number[]) =>
    offsets.flatMap((offset) => byDay.get(addDays(one.day, -offset))?.value ?? []);
  const weekdays = valuesAt(range(WEEKS).map((week) => week * 7));
  const sameWeekday = weekdays.length >= FEWEST_WEEKDAYS;
  const values = sameWeekday ? weekdays : valuesAt(range(DAYS));
  if (values.length < (sameWeekday ? FEWEST_WEEKDAYS : FEWEST_DAYS)) return null;
  const expected = median(values);
  const deviation = MAD_TO_DEVIATION * median(values.map((value) => Math.abs(value - expected)));
  const spread = Math.max(deviation, one.noise, SMALLEST_SPREAD * Math.abs(expected));
  if (spread === 0) return null;
  const off = one.value - expected;
  const isFar = Math.abs(off) >= SPREADS * spread;
  if (!isFar || Math.abs(off) < SMALLEST_CHANGE * Math.abs(expected)) return null;
  if (!sameWeekday && !isBeyond(one.value, values)) return null;
  return {
    day: one.day,
    value: one.value,
    expected,
    low: Math.max(0, expected - SPREADS * spread),
    high: expected + SPREADS * spread,
    score: off / spread,
    days: values.length,
    sameWeekday,
  };
}

/**
 * Whether a value is beyond all that was seen. Where weekdays cannot be told apart yet, the median is that of working days,
 * and each weekend would be far from it.
 */
function isBeyond(value: number, values: number[]): boolean {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return value > most * (1 + SMALLEST_CHANGE) || value < least * (1 - SMALLEST_CHANGE);
}

/** 1 to n. */
const range = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
