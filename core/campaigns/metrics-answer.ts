import { z } from "zod";
import type { Period } from "./metrics/days.ts";
import {
  metricValues,
  relativeChanges,
  toMetricValues,
  toRelativeChanges,
} from "./metrics/metric-values.ts";
import type { Dimension, Group } from "./metrics/read-groups.ts";
import type { Metrics } from "./read-metrics.ts";

export const periodAnswer = z.object({ from: z.string(), to: z.string() });

const groupAnswer = metricValues.extend({
  day: z.string().optional(),
  week: z.string().optional().describe("Its Monday"),
  month: z.string().optional(),
  platform: z.string().optional(),
  channel: z.string().nullable().optional(),
  campaign_id: z.string().optional(),
  campaign: z.string().optional().describe("Its name"),
  ad_group: z.string().nullable().optional(),
  ad: z.string().nullable().optional(),
  currency: z.string().describe("Of every amount in the row; XXX where no file said"),
  previous: metricValues.optional().describe("The same of the period before"),
  change: relativeChanges
    .optional()
    .describe("The change since then as a share of what was: 0.25 is a quarter more"),
});
export type GroupAnswer = z.output<typeof groupAnswer>;

/** Metrics as routes, skills and the model's tools give them. */
export const metricsAnswer = z.object({
  period: periodAnswer.describe("Both days included"),
  previous_period: periodAnswer.nullable(),
  totals: z.array(groupAnswer).describe("The whole selection, once for each currency"),
  data: z.array(groupAnswer),
  next_cursor: z.string().nullable(),
});
export type MetricsAnswer = z.output<typeof metricsAnswer>;

export function toMetricsAnswer(metrics: Metrics): MetricsAnswer {
  return {
    period: onlyPeriod(metrics.period),
    previous_period: metrics.previous && onlyPeriod(metrics.previous),
    totals: metrics.totals.map((group) => toGroupAnswer(group, [])),
    data: metrics.rows.map((group) => toGroupAnswer(group, metrics.groupBy)),
    next_cursor: metrics.nextCursor,
  };
}

const onlyPeriod = ({ from, to }: Period) => ({ from, to });

function toGroupAnswer(group: Group, groupBy: Dimension[]): GroupAnswer {
  const { currency, current, previous } = group;
  const answer: GroupAnswer = { ...namesOf(group, groupBy), currency, ...toMetricValues(current) };
  if (previous) {
    answer.previous = toMetricValues(previous);
    answer.change = toRelativeChanges(previous, current);
  }
  return answer;
}

/** What a group is called, by its dimensions; null where its facts have no such thing. */
function namesOf({ values, name }: Group, groupBy: Dimension[]): Partial<GroupAnswer> {
  const names: Partial<GroupAnswer> = {};
  groupBy.forEach((dimension, index) => {
    const value = values[index] ?? "";
    switch (dimension) {
      case "campaign":
        names.campaign_id = value;
        names.campaign = name ?? "";
        break;
      case "channel":
      case "ad_group":
      case "ad":
        names[dimension] = value === "" ? null : value;
        break;
      default:
        names[dimension] = value;
    }
  });
  return names;
}
