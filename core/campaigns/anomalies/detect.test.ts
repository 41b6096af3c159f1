import fc from "fast-check";
import { expect, it } from "vitest";
import { addDays } from "../metrics/days.ts";
import { noSums, type Sums } from "../metrics/sums.ts";
import { type DayValue, detect, median } from "./detect.ts";
import { seriesOf } from "./series.ts";

const FIRST = "2026-08-03"; // a Monday
const FROM = addDays(FIRST, 70);

/** Twelve weeks with a weekly course: much on weekdays, little on weekends, and a ripple. */
const usual = (day: number) => (day % 7 >= 5 ? 20 : 100) * (1 + 0.03 * Math.sin(day * 1.7));
const series = (over: (day: number) => Partial<DayValue> = () => ({}), days = 84): DayValue[] =>
  Array.from({ length: days }, (_, day) => ({
    day: addDays(FIRST, day),
    value: usual(day),
    volume: 1_000,
    noise: 0,
    ...over(day),
  }));
const find = (values: DayValue[], leastVolume = 0) => detect(values, { from: FROM, leastVolume });

it("finds nothing in an ordinary weekly course, though weekends are far from weekdays", () => {
  expect(find(series())).toEqual([]);
});

it("finds a Sunday that looks like a Monday, and says what was expected", () => {
  const sunday = 76;
  const [found, ...more] = find(series((day) => (day === sunday ? { value: 100 } : {})));
  expect(more).toEqual([]);
  expect(found).toMatchObject({ day: addDays(FIRST, sunday), days: 8, sameWeekday: true });
  expect(found?.expected).toBeCloseTo(20, 0);
  expect(found?.high).toBeLessThan(100);
});

it("is not blinded by outliers before, and does not take them for the rule", () => {
  const outliers = [21, 28, 35];
  const values = series((day) =>
    outliers.includes(day) ? { value: 5_000 } : day === 77 ? { value: 300 } : {},
  );
  expect(find(values).map(({ day }) => day)).toEqual([addDays(FIRST, 77)]);
});

it("leaves days alone whose volume is too small, and what chance alone may do", () => {
  const spike = (over: Partial<DayValue>) =>
    find(
      series((day) => (day === 77 ? { value: 200, ...over } : {})),
      500,
    );
  expect(spike({})).toHaveLength(1);
  expect(spike({ volume: 499 })).toEqual([]);
  expect(spike({ noise: 40 })).toEqual([]);
});

it("compares with the days before where a weekday has too few, and says so", () => {
  const short = series((day) => (day === 75 ? { value: 900 } : {})).slice(50);
  expect(find(short)).toMatchObject([{ sameWeekday: false, day: addDays(FIRST, 75) }]);
  expect(find(short.slice(-9))).toEqual([]);
});

it("judges no day outside the period, and no day by later ones", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 84, maxLength: 84 }),
      fc.integer({ min: 70, max: 83 }),
      (values, cut) => {
        const whole = series((day) => ({ value: values[day] ?? 0 }));
        const found = find(whole);
        expect(found.every(({ day }) => day >= FROM)).toBe(true);
        const upTo = found.filter(({ day }) => day <= addDays(FIRST, cut));
        expect(find(whole.slice(0, cut + 1))).toEqual(upTo);
        for (const { value, low, high } of found)
          expect(value < low || value > high || value === 0).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

it("takes the middle of an even number of values", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, 0]);
});

it("takes days without facts for days of nothing, but not those before the first and after the last", () => {
  const day = (spend: bigint): Sums => ({ ...noSums(), spend: spend * 1_000_000n });
  const days = new Map([
    ["2026-11-03", day(5n)],
    ["2026-11-01", day(3n)],
  ]);
  const values = seriesOf({ metric: "spend", volume: null }, days);
  expect(values.map((one) => [one.day, one.value])).toEqual([
    ["2026-11-01", 3],
    ["2026-11-02", 0],
    ["2026-11-03", 5],
  ]);
  expect(seriesOf({ metric: "conversions", volume: null }, days)).toEqual([]);
  expect(seriesOf({ metric: "cpa", volume: "conversions" }, days)).toEqual([]);
});
