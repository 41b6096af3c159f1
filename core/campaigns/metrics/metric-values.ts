import { z } from "zod";
import { divideRounded, UNITS, unitsToDecimal, unitsToNumber } from "./exact.ts";
import { RATIO_NAMES, ratioOf } from "./ratios.ts";
import { SUMS, type Sums } from "./sums.ts";

/** What is counted is a number, what is money a decimal in the row's currency. Null is "no value", not 0. */
export const metricValues = z.object({
  impressions: z.number().nullable(),
  clicks: z.number().nullable(),
  spend: z.string().nullable(),
  conversions: z.number().nullable(),
  revenue: z.string().nullable(),
  ctr: z.number().nullable().describe("clicks / impressions"),
  cpc: z.string().nullable().describe("spend / clicks"),
  cpm: z.string().nullable().describe("1000 × spend / impressions"),
  cvr: z.number().nullable().describe("conversions / clicks"),
  cpa: z.string().nullable().describe("spend / conversions"),
  roas: z.number().nullable().describe("revenue / spend"),
});
export type MetricValues = z.output<typeof metricValues>;

export const METRICS = [...SUMS, ...RATIO_NAMES] as const;
export type MetricName = (typeof METRICS)[number];

const MONEY: ReadonlySet<MetricName> = new Set(["spend", "revenue", "cpc", "cpm", "cpa"]);

/** Whether a metric is an amount of a currency. */
export const isMoney = (name: MetricName) => MONEY.has(name);

/** How much each metric differs from what it is compared with, as a share of that: 0.25 is a quarter more. */
export const relativeChanges = z.object(
  Object.fromEntries(METRICS.map((name) => [name, z.number().nullable()])) as Record<
    MetricName,
    z.ZodNullable<z.ZodNumber>
  >, // Object.fromEntries loses the literal type
);
export type RelativeChanges = z.output<typeof relativeChanges>;

/** A metric in millionths; null where it has no value. */
export function unitsOf(name: MetricName, sums: Sums): bigint | null {
  switch (name) {
    case "impressions":
    case "clicks":
    case "spend":
    case "conversions":
    case "revenue":
      return sums[name];
    default:
      return ratioOf(name, sums);
  }
}

const numberOf = (units: bigint | null) => (units === null ? null : unitsToNumber(units));
const decimalOf = (units: bigint | null) => (units === null ? null : unitsToDecimal(units));

export function toMetricValues(sums: Sums): MetricValues {
  return {
    impressions: numberOf(sums.impressions),
    clicks: numberOf(sums.clicks),
    spend: decimalOf(sums.spend),
    conversions: numberOf(sums.conversions),
    revenue: decimalOf(sums.revenue),
    ctr: numberOf(ratioOf("ctr", sums)),
    cpc: decimalOf(ratioOf("cpc", sums)),
    cpm: decimalOf(ratioOf("cpm", sums)),
    cvr: numberOf(ratioOf("cvr", sums)),
    cpa: decimalOf(ratioOf("cpa", sums)),
    roas: numberOf(ratioOf("roas", sums)),
  };
}

/** The change from one to the other as a share of the first, to six decimals; null where the first is 0 or unknown. */
export function relativeChange(before: bigint | null, after: bigint | null): number | null {
  if (before === null || after === null || before <= 0n) return null;
  return unitsToNumber(divideRounded((after - before) * UNITS, before));
}

export function toRelativeChanges(before: Sums, after: Sums): RelativeChanges {
  const changes = METRICS.map((name) => [
    name,
    relativeChange(unitsOf(name, before), unitsOf(name, after)),
  ]);
  return relativeChanges.parse(Object.fromEntries(changes));
}
