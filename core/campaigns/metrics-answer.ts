import { z } from "zod";
import { benchmarkAnswer } from "./benchmarks/benchmark.ts";
import { compareWith, comparedAnswer } from "./benchmarks/compare.ts";
import { periodAnswer } from "./period-answer.ts";
import type { Period } from "./metrics/days.ts";
import {
  metricValues,
  relativeChanges,
  toMetricValues,
  toRelativeChanges,
} from "./metrics/metric-values.ts";
import type { Dimension, Group } from "./metrics/read-groups.ts";
import type { Metrics } from "./read-metrics.ts";

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
  benchmarks: z
    .array(comparedAnswer)
    .optional()
    .describe("The row beside what others, and the team itself, usually reach"),
});
export type GroupAnswer = z.output<typeof groupAnswer>;

/** Metrics as routes, skills and the model's tools give them. */
export const metricsAnswer = z.object({
  period: periodAnswer.describe("Both days included"),
  previous_period: periodAnswer.nullable(),
  totals: z.array(groupAnswer).describe("The whole selection, once for each currency"),
  data: z.array(groupAnswer),
  next_cursor: z.string().nullable(),
  benchmarks: z
    .array(benchmarkAnswer)
    .optional()
    .describe("What rows are compared with; published figures disagree, so each has its source"),
});
export type MetricsAnswer = z.output<typeof metricsAnswer>;

export function toMetricsAnswer(metrics: Metrics): MetricsAnswer {
  const totals = metrics.totals.map((group) => toGroupAnswer(metrics, group, []));
  const data = metrics.rows.map((group) => toGroupAnswer(metrics, group, metrics.groupBy));
  const answer: MetricsAnswer = {
    period: onlyPeriod(metrics.period),
    previous_period: metrics.previous && onlyPeriod(metrics.previous),
    totals,
    data,
    next_cursor: metrics.nextCursor,
  };
  if (!metrics.benchmarks) return answer;
  const used = new Set(
    [...totals, ...data].flatMap((row) => (row.benchmarks ?? []).map(nameOfCompared)),
  );
  const benchmarks = metrics.benchmarks.filter((one) =>
    used.has(nameOfCompared({ benchmark: one.id, metric: one.metric })),
  );
  return { ...answer, benchmarks };
}

const nameOfCompared = ({ benchmark, metric }: { benchmark: string; metric: string }) =>
  `${benchmark} ${metric}`;

const onlyPeriod = ({ from, to }: Period) => ({ from, to });

function toGroupAnswer(metrics: Metrics, group: Group, groupBy: Dimension[]): GroupAnswer {
  const { currency, current, previous } = group;
  const answer: GroupAnswer = { ...namesOf(group, groupBy), currency, ...toMetricValues(current) };
  if (previous) {
    answer.previous = toMetricValues(previous);
    answer.change = toRelativeChanges(previous, current);
  }
  if (metrics.benchmarks) {
    answer.benchmarks = compareWith(metrics.benchmarks, {
      platform: answer.platform ?? metrics.platform,
      channel: answer.channel ?? null,
      currency,
      sums: current,
    });
  }
  return answer;
}

/** What a group is called, by its dimensions; null where its facts have no such thing. */
function namesOf({ values, campaign }: Group, groupBy: Dimension[]): Partial<GroupAnswer> {
  const names: Partial<GroupAnswer> = {};
  groupBy.forEach((dimension, index) => {
    const value = values[index] ?? "";
    switch (dimension) {
      case "campaign":
        names.campaign_id = value;
        names.campaign = campaign?.name ?? "";
        names.platform = campaign?.platform ?? "";
        names.channel = campaign?.channel ?? null;
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
