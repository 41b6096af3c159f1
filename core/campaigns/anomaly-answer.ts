import { z } from "zod";
import { toUnits } from "./anomalies/sentences.ts";
import type { FoundAnomaly } from "./find-anomalies.ts";
import type { Period } from "./metrics/days.ts";
import { unitsToNumber } from "./metrics/exact.ts";
import { periodAnswer } from "./period-answer.ts";
import { cleanName } from "./words/figures.ts";

const WATCHED_NAMES = ["spend", "conversions", "ctr", "cpc", "cvr", "cpa", "roas"] as const;

/** Anomalies as routes, skills and the model's tools give them. */
export const anomaliesAnswer = z.object({
  period: periodAnswer,
  anomalies: z.array(
    z.object({
      day: z.string(),
      metric: z.enum(WATCHED_NAMES),
      currency: z.string(),
      platform: z.string().nullable().describe("Null for a campaign, and for the whole selection"),
      campaign_id: z.string().nullable(),
      campaign: z.string().nullable().describe("Its name"),
      value: z.number(),
      expected: z.number().describe("The median of the days that it was compared with"),
      low: z.number().describe("From here to `high` a day counts as usual"),
      high: z.number(),
      score: z
        .number()
        .describe("How many spreads away; 4 or more, below zero for less than usual"),
      compared_with: z.object({ days: z.number().int(), same_weekday: z.boolean() }),
      sentences: z.object({ en: z.string(), fa: z.string() }),
    }),
  ),
  more: z.boolean().describe("Whether there are more than the fifty largest"),
});
export type AnomaliesAnswer = z.output<typeof anomaliesAnswer>;

/** To six decimals, as everything else. */
const rounded = (value: number) => unitsToNumber(toUnits(value));

export function toAnomaliesAnswer(found: {
  period: Period;
  anomalies: FoundAnomaly[];
  more: boolean;
}): AnomaliesAnswer {
  return {
    period: found.period,
    anomalies: found.anomalies.map((anomaly) => ({
      day: anomaly.day,
      metric: anomaly.metric,
      currency: anomaly.currency,
      platform: anomaly.platform,
      campaign_id: anomaly.campaign?.id ?? null,
      campaign: anomaly.campaign && cleanName(anomaly.campaign.name),
      value: rounded(anomaly.value),
      expected: rounded(anomaly.expected),
      low: rounded(anomaly.low),
      high: rounded(anomaly.high),
      score: rounded(anomaly.score),
      compared_with: { days: anomaly.days, same_weekday: anomaly.sameWeekday },
      sentences: anomaly.sentences,
    })),
    more: found.more,
  };
}
