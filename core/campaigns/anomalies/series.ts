import { daysOf } from "../metrics/days.ts";
import { unitsToNumber } from "../metrics/exact.ts";
import { type MetricName, unitsOf } from "../metrics/metric-values.ts";
import { RATIOS } from "../metrics/ratios.ts";
import { noSums, type Sums } from "../metrics/sums.ts";
import type { DayValue } from "./detect.ts";

/** What is watched, with the least volume of a day that is judged. */
export const WATCHED = [
  { metric: "spend", volume: null, least: 0 },
  { metric: "conversions", volume: null, least: 0 },
  { metric: "ctr", volume: "impressions", least: 1_000 },
  { metric: "cpc", volume: "clicks", least: 50 },
  { metric: "cvr", volume: "clicks", least: 100 },
  { metric: "cpa", volume: "conversions", least: 10 },
  { metric: "roas", volume: "conversions", least: 10 },
] as const satisfies readonly {
  metric: MetricName;
  volume: keyof Sums | null;
  least: number;
}[];
export type Watched = (typeof WATCHED)[number];

/**
 * A metric's values day by day. Days without facts between the first and the last with some are days of nothing: a
 * campaign that stood still is one of the things to find. Before the first and after the last, nothing is known.
 */
export function seriesOf(
  { metric, volume }: Pick<Watched, "metric" | "volume">,
  days: ReadonlyMap<string, Sums>,
): DayValue[] {
  const known = [...days.keys()].toSorted();
  const [from, to] = [known[0], known.at(-1)];
  if (from === undefined || to === undefined) return [];
  const isSaid = [...days.values()].some((sums) => unitsOf(metric, sums) !== null);
  if (!isSaid) return [];
  return daysOf({ from, to }).flatMap((day) => {
    const sums = days.get(day) ?? noSums();
    const units = volume === null ? (unitsOf(metric, sums) ?? 0n) : unitsOf(metric, sums);
    if (units === null) return [];
    const value = unitsToNumber(units);
    const made = volume === null ? value : unitsToNumber(sums[volume] ?? 0n);
    return [{ day, value, volume: made, noise: noiseOf(metric, value, sums) }];
  });
}

/**
 * How far chance alone moves a value. What is counted varies by the root of the count, a rate by that of a binomial, and
 * a cost per something by that of how many there were. What is spent is somebody's decision, not chance.
 */
function noiseOf(metric: Watched["metric"], value: number, sums: Sums): number {
  const count = (name: keyof Sums) => Math.max(unitsToNumber(sums[name] ?? 0n), 1);
  switch (metric) {
    case "spend":
      return 0;
    case "conversions":
      return Math.sqrt(Math.max(value, 1));
    case "ctr":
    case "cvr":
      return Math.sqrt((value * Math.max(1 - value, 0)) / count(RATIOS[metric].by));
    case "cpc":
      return value / Math.sqrt(count("clicks"));
    case "cpa":
    case "roas":
      return value / Math.sqrt(count("conversions"));
  }
}
