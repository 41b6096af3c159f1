import { unitsToNumber } from "../../campaigns/metrics/exact.ts";
import { type MetricName, unitsOf } from "../../campaigns/metrics/metric-values.ts";
import type { Sums } from "../../campaigns/metrics/sums.ts";
import type { KeyFigure } from "../report.ts";

const KINDS: Record<MetricName, KeyFigure["kind"]> = {
  impressions: "count",
  clicks: "count",
  spend: "money",
  conversions: "decimal",
  revenue: "money",
  ctr: "ratio",
  cpc: "money",
  cpm: "money",
  cvr: "ratio",
  cpa: "money",
  roas: "multiple",
};

/** What a metric's number stands for. */
export function kindOf(metric: MetricName): KeyFigure["kind"] {
  return KINDS[metric];
}

/** A metric of sums as a report has it: amounts in units of their currency. Null where there is no value. */
export function metricNumber(metric: MetricName, sums: Sums): number | null {
  const units = unitsOf(metric, sums);
  return units === null ? null : unitsToNumber(units);
}

/** Below it a change would be shown as 0%. */
const NO_CHANGE = 0.0005;

/** Whether a change is one that readers see. @param change the part by which something grew */
export function isChange(change: number): boolean {
  return Math.abs(change) >= NO_CHANGE;
}
