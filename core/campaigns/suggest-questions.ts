import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { SUGGESTIONS } from "./ask/suggestions.ts";
import { readMetrics, readMetricsInput } from "./read-metrics.ts";
import { type Language, LANGUAGES } from "./words/figures.ts";

export const suggestQuestionsInput = z.object({ language: z.enum(LANGUAGES).default("en") });

export interface SuggestedQuestion {
  /** What `question` of ask may also be. */
  id: string;
  question: string;
}

/** How many currencies are looked at. */
const MOST_GROUPS = 100;

/**
 * Questions that make sense for what the team has imported; each can be answered without a model. Empty where there is
 * nothing to ask about. Needs the scope `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `invalid_request`
 */
export async function suggestQuestions(
  context: Context,
  { language }: { language: Language },
): Promise<SuggestedQuestion[]> {
  const input = readMetricsInput.parse({ group_by: "campaign" });
  const { totals, rows } = await readMetrics(context, input, { limit: MOST_GROUPS });
  if (totals.length === 0) return [];
  const has = {
    anything: true,
    conversions: totals.some(({ current }) => (current.conversions ?? 0n) > 0n),
    revenue: totals.some(({ current }) => (current.revenue ?? 0n) > 0n),
    campaigns: rows.length > 1,
  };
  return SUGGESTIONS.filter(({ needs }) => has[needs]).map(({ id, question }) => ({
    id,
    question: question[language],
  }));
}
