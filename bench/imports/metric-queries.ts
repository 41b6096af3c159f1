import { z } from "zod";

const all = { from: "2025-10-01", to: "2026-11-04" };
const month = { from: "2026-10-01", to: "2026-10-30" };

/** As the API's query; `one` is of one campaign. */
export interface MetricQuery {
  from: string;
  to: string;
  group_by?: string;
  compare?: string;
  one?: boolean;
}

/** What is asked of the facts that the bench stores. */
export const METRIC_QUERIES = {
  "30 days": { ...month, compare: "previous,benchmark" },
  "400 days": all,
  "400 days by campaign": { ...all, group_by: "campaign" },
  "400 days by month and platform": { ...all, group_by: "month,platform" },
  "400 days by campaign and day": { ...all, group_by: "campaign,day" },
  "30 days by ad group": { ...month, group_by: "ad_group" },
  "30 days by campaign and ad": { ...month, group_by: "campaign,ad" },
  "400 days by ad group, one campaign": { ...all, group_by: "ad_group", one: true },
  "400 days by ad group": { ...all, group_by: "ad_group" },
} as const satisfies Record<string, MetricQuery>;

/** Milliseconds of each query. */
export const metricTimes = z.record(z.string(), z.number());
