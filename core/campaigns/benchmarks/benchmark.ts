import { z } from "zod";
import { periodAnswer } from "../period-answer.ts";
import { RATIO_NAMES } from "../metrics/ratios.ts";

/** The id of what a team's own campaigns reached. */
export const OWN_HISTORY = "team_history";

/** A figure to compare with, and whose it is. */
export const benchmarkAnswer = z.object({
  id: z.string().describe("Of the source; `team_history` is the team's own campaigns"),
  source: z.string(),
  url: z.string().nullable(),
  period: periodAnswer
    .nullable()
    .describe("What was measured over; null where the source does not say"),
  published: z.number().int().nullable().describe("The year; null for the team's own"),
  platform: z.string().nullable().describe("Null is all platforms together"),
  channel: z.string().nullable().describe("The kind of advertising; null is any"),
  industry: z.string().nullable().describe("Null is all of them"),
  sample: z.string(),
  metric: z.enum(RATIO_NAMES),
  currency: z.string().nullable().describe("Of amounts, and of a ROAS of the team's own"),
  value: z.number().nullable().describe("The average; null where only a range is known"),
  median: z.number().nullable(),
  low: z.number().nullable().describe("The lower quartile, or the range's lower end"),
  high: z.number().nullable(),
});
export type Benchmark = z.output<typeof benchmarkAnswer>;
