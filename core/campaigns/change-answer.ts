import { z } from "zod";
import type { Presence } from "./changes/decompose.ts";
import type { ExplainedChange } from "./explain-change.ts";
import type { Period } from "./metrics/days.ts";
import { unitsToDecimal } from "./metrics/exact.ts";
import {
  relativeChange,
  type MetricValues,
  metricValues,
  toMetricValues,
} from "./metrics/metric-values.ts";
import { RATIO_NAMES } from "./metrics/ratios.ts";
import { periodAnswer } from "./period-answer.ts";
import { cleanName } from "./words/figures.ts";

/** How many campaigns an answer lists; the parts of the others are summed up in `others`. */
const MOST_LISTED = 50;

/** A decimal with six places, so that parts can be added up exactly. */
const exact = z.string().describe("A decimal with six places");

const PRESENCES = ["both", "new", "vanished", "without"] as const satisfies readonly Presence[];

const memberAnswer = z.object({
  platform: z.string(),
  campaign_id: z.string().nullable().describe("Null for ad groups"),
  name: z.string().nullable().describe("Null for the rest of a platform, taken together"),
  part: exact.describe("What it did to the ratio of the whole"),
  rate: exact.nullable().describe("What of it came from its own ratio's change"),
  mix: exact.nullable().describe("What of it came from its growing or shrinking"),
  presence: z
    .enum(PRESENCES)
    .describe(
      "Whether it was there in both periods; `without`: it had no denominator in one of them",
    ),
  before: metricValues,
  after: metricValues,
});

const oneChange = z.object({
  metric: z.enum(RATIO_NAMES),
  currency: z.string(),
  before: exact.nullable(),
  after: exact.nullable(),
  change: exact.nullable().describe("after − before; null where one of them has no value"),
  relative: z.number().nullable().describe("The change as a share of `before`"),
  platforms: z
    .array(
      z.object({ platform: z.string(), part: exact, before: metricValues, after: metricValues }),
    )
    .describe("The parts add up to `change` exactly"),
  members: z
    .array(memberAnswer)
    .describe(
      "Campaigns, or ad groups of one campaign: the largest parts first. With `others` they add up to `change` exactly",
    ),
  others: z
    .object({ count: z.number().int(), part: exact })
    .nullable()
    .describe("Those that are not listed; null where all are"),
  sentences: z.object({ en: z.array(z.string()), fa: z.array(z.string()) }),
});

/** A change as routes, skills and the model's tools give it. */
export const changeAnswer = z.object({
  period: periodAnswer,
  previous_period: periodAnswer,
  changes: z.array(oneChange).describe("One for each currency"),
});
export type ChangeAnswer = z.output<typeof changeAnswer>;

export function toChangeAnswer(explained: {
  period: Period;
  previous: Period;
  changes: ExplainedChange[];
}): ChangeAnswer {
  return {
    period: explained.period,
    previous_period: explained.previous,
    changes: explained.changes.map(toOneChange),
  };
}

const decimal = (units: bigint) => unitsToDecimal(units, 6);
const decimalOrNull = (units: bigint | null) => (units === null ? null : decimal(units));

function toOneChange(change: ExplainedChange): z.output<typeof oneChange> {
  const { metric, currency, before, after, members, platforms, sentences } = change;
  const listed = members.slice(0, MOST_LISTED);
  const others = members.slice(MOST_LISTED);
  return {
    metric,
    currency,
    before: decimalOrNull(before),
    after: decimalOrNull(after),
    change: decimalOrNull(change.change),
    relative: relativeChange(before, after),
    platforms: platforms.map(({ platform, part, ...sums }) => ({
      platform,
      part: decimal(part),
      ...bothOf(sums),
    })),
    members: listed.map(({ member, part, rate, mix, presence }) => ({
      platform: member.platform,
      campaign_id: member.campaignId,
      name: member.name === null ? null : cleanName(member.name),
      part: decimal(part),
      rate: decimalOrNull(rate),
      mix: decimalOrNull(mix),
      presence,
      ...bothOf(member),
    })),
    others:
      others.length === 0
        ? null
        : { count: others.length, part: decimal(others.reduce((sum, { part }) => sum + part, 0n)) },
    sentences,
  };
}

function bothOf({ before, after }: Pick<ExplainedChange["whole"], "before" | "after">): {
  before: MetricValues;
  after: MetricValues;
} {
  return { before: toMetricValues(before), after: toMetricValues(after) };
}
