import { divideRounded, UNITS } from "./exact.ts";
import type { SumName, Sums } from "./sums.ts";

/** Ratios of sums. `times` is what the ratio is multiplied by: a CPM is for a thousand impressions. */
export const RATIOS = {
  ctr: { of: "clicks", by: "impressions", times: 1n, money: false },
  cpc: { of: "spend", by: "clicks", times: 1n, money: true },
  cpm: { of: "spend", by: "impressions", times: 1000n, money: true },
  cvr: { of: "conversions", by: "clicks", times: 1n, money: false },
  cpa: { of: "spend", by: "conversions", times: 1n, money: true },
  roas: { of: "revenue", by: "spend", times: 1n, money: false },
} as const satisfies Record<string, { of: SumName; by: SumName; times: bigint; money: boolean }>;
export type RatioName = keyof typeof RATIOS;

export const RATIO_NAMES = [
  "ctr",
  "cpc",
  "cpm",
  "cvr",
  "cpa",
  "roas",
] as const satisfies RatioName[];

/**
 * A ratio from sums, in millionths; null where the denominator is 0, or where no file says one of the two: a campaign
 * that nobody counts conversions of has no conversion rate, not one of 0.
 */
export function ratioOf(name: RatioName, sums: Sums): bigint | null {
  const { of, by, times } = RATIOS[name];
  const [numerator, denominator] = [sums[of], sums[by]];
  if (numerator === null || denominator === null || denominator <= 0n) return null;
  return divideRounded(numerator * times * UNITS, denominator);
}
