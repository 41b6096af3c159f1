import type { Json } from "../../jobs/job-type.ts";
import type { Context } from "../../kernel/context.ts";
import { anomaliesAnswer } from "../anomaly-answer.ts";
import { changeAnswer } from "../change-answer.ts";
import { metricsAnswer } from "../metrics-answer.ts";
import type { Language } from "../words/figures.ts";
import {
  anomalyLines,
  benchmarkLines,
  changeLines,
  groupLines,
  overviewLines,
} from "./rule-sentences.ts";
import type { Source } from "./source-numbers.ts";
import { type AskToolName, runTool } from "./tools.ts";

/** A question that is answered without a model: one query, and sentences made of its result. */
export interface Suggestion {
  id: string;
  question: Record<Language, string>;
  /** What the campaigns must have for it to make sense. */
  needs: "anything" | "conversions" | "revenue" | "campaigns";
  tool: AskToolName;
  arguments: { [name: string]: Json };
  lines(result: Json, language: Language): string[];
}

/** How many campaigns an answer names. */
const TOP = 5;

export const SUGGESTIONS: readonly Suggestion[] = [
  {
    id: "overview",
    question: {
      en: "How did the campaigns do, compared with the period before?",
      fa: "کمپین‌ها در مقایسه با دورهٔ پیش چگونه بودند؟",
    },
    needs: "anything",
    tool: "campaign_metrics",
    arguments: { group_by: "platform", compare: "previous" },
    lines: (result, language) => overviewLines(metricsAnswer.parse(result), language),
  },
  {
    id: "top_spend",
    question: { en: "Which campaigns cost the most?", fa: "کدام کمپین‌ها بیشترین هزینه را داشتند؟" },
    needs: "campaigns",
    tool: "campaign_metrics",
    arguments: { group_by: "campaign", sort: "spend", limit: TOP },
    lines: (result, language) => groupLines(metricsAnswer.parse(result), language),
  },
  {
    id: "platforms",
    question: { en: "How do the platforms compare?", fa: "سکوها در مقایسه با هم چگونه‌اند؟" },
    needs: "anything",
    tool: "campaign_metrics",
    arguments: { group_by: "platform", sort: "spend" },
    lines: (result, language) => groupLines(metricsAnswer.parse(result), language),
  },
  {
    id: "cpa_change",
    question: { en: "Why did the CPA change?", fa: "چرا هزینهٔ هر تبدیل تغییر کرد؟" },
    needs: "conversions",
    tool: "campaign_changes",
    arguments: { metric: "cpa" },
    lines: (result, language) => changeLines(changeAnswer.parse(result), language),
  },
  {
    id: "roas_change",
    question: { en: "Why did the ROAS change?", fa: "چرا بازده هزینهٔ تبلیغ تغییر کرد؟" },
    needs: "revenue",
    tool: "campaign_changes",
    arguments: { metric: "roas" },
    lines: (result, language) => changeLines(changeAnswer.parse(result), language),
  },
  {
    id: "anomalies",
    question: { en: "Were there any unusual days?", fa: "آیا روزهای غیرعادی بود؟" },
    needs: "anything",
    tool: "campaign_anomalies",
    arguments: {},
    lines: (result, language) => anomalyLines(anomaliesAnswer.parse(result), language),
  },
  {
    id: "benchmarks",
    question: {
      en: "How do we compare with benchmarks?",
      fa: "در مقایسه با شاخص‌های بازار چگونه‌ایم؟",
    },
    needs: "anything",
    tool: "campaign_metrics",
    arguments: { group_by: "platform", compare: "benchmark" },
    lines: (result, language) => benchmarkLines(metricsAnswer.parse(result), language),
  },
];

/** Answers a suggested question from its one query. */
export async function answerSuggestion(
  context: Context,
  suggestion: Suggestion,
  language: Language,
): Promise<{ answer: string; sources: Source[] }> {
  const source = await runTool(context, "q1", suggestion.tool, suggestion.arguments);
  return { answer: suggestion.lines(source.result, language).join("\n"), sources: [source] };
}

/** The suggested question that somebody asks, in either language, whatever its case and signs; null where it is none. */
export function suggestionFor(question: string): Suggestion | null {
  const asked = wordsOf(question);
  return (
    SUGGESTIONS.find(({ id, question: { en, fa } }) =>
      [id, en, fa].some((text) => wordsOf(text) === asked),
    ) ?? null
  );
}

const wordsOf = (text: string) =>
  text
    .toLowerCase()
    .normalize("NFKC")
    .replaceAll(/[^\p{L}\p{N}_]+/gu, " ")
    .trim();
