import { z } from "zod";
import { unitsToNumber } from "../metrics/exact.ts";
import { RATIO_NAMES, ratioOf } from "../metrics/ratios.ts";
import type { Sums } from "../metrics/sums.ts";
import { type Benchmark, OWN_HISTORY } from "./benchmark.ts";

/** A row beside one benchmark. */
export const comparedAnswer = z.object({
  benchmark: z.string().describe("The id of its source, which `benchmarks` describes"),
  channel: z.string().nullable(),
  metric: z.enum(RATIO_NAMES),
  value: z.number().describe("Of the benchmark: its average, or else the middle of its range"),
  relative: z
    .number()
    .describe("How far the row is from it, as a share of it: 0.25 is a quarter above"),
});
export type Compared = z.output<typeof comparedAnswer>;

/** What is compared: null for what differs within the row, or is not known. */
export interface Row {
  platform: string | null;
  channel: string | null;
  currency: string;
  sums: Sums;
}

/**
 * The benchmarks that fit a row: of its platform, of its channel where that is known, in its currency where it is an
 * amount. A row over several platforms is compared with the team's own history over all of them alone.
 */
export function compareWith(benchmarks: readonly Benchmark[], row: Row): Compared[] {
  return benchmarks.flatMap((benchmark) => {
    const fits =
      benchmark.platform === row.platform &&
      (benchmark.platform !== null || benchmark.id === OWN_HISTORY) &&
      (row.channel === null || benchmark.channel === null || benchmark.channel === row.channel) &&
      (benchmark.currency === null || benchmark.currency === row.currency);
    const units = fits ? ratioOf(benchmark.metric, row.sums) : null;
    const value = benchmark.value ?? middleOf(benchmark);
    if (units === null || value === null || value <= 0) return [];
    const relative = Number((unitsToNumber(units) / value - 1).toFixed(6));
    const { id, channel, metric } = benchmark;
    return [{ benchmark: id, channel, metric, value, relative }];
  });
}

function middleOf({ low, high }: Benchmark): number | null {
  return low === null || high === null ? null : Number(((low + high) / 2).toFixed(6));
}
