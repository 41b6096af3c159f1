import { z } from "zod";
import type { GatewayPorts, ModelCall } from "../gateway/model-call.ts";
import type { Context } from "../kernel/context.ts";
import { AppError, type ErrorCode } from "../kernel/errors.ts";
import { hasScope } from "../kernel/principal.ts";
import { isStorableText } from "../kernel/text.ts";
import { askModel } from "./ask/ask-model.ts";
import { cleanAnswer } from "./ask/clean-answer.ts";
import type { Source } from "./ask/source-numbers.ts";
import { answerSuggestion, type Suggestion, suggestionFor } from "./ask/suggestions.ts";
import { type TracedAnswer, traceNumbers } from "./ask/trace-numbers.ts";
import { campaignTeam } from "./campaign.ts";
import { type SuggestedQuestion, suggestQuestions } from "./suggest-questions.ts";
import { type Language, LANGUAGES } from "./words/figures.ts";

export const askCampaignsInput = z.strictObject({
  question: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .refine(isStorableText, "must be plain text")
    .describe("The question in words, or the id of a suggested one"),
  language: z.enum(LANGUAGES).optional().describe("Of the answer; without it that of the question"),
  model: z
    .string()
    .min(1)
    .max(200)
    .nullable()
    .optional()
    .describe("The model that answers; null for none, which answers suggested questions alone"),
});
export type AskCampaignsInput = z.output<typeof askCampaignsInput>;

export interface AskPorts {
  gateway: GatewayPorts;
  /** The model that answers where nobody names one. */
  defaultModel(): Promise<string>;
}

export interface CampaignAnswer extends TracedAnswer {
  language: Language;
  /** `rules`: made of the result of one query, without a model; `none`: nobody could answer it. */
  answeredBy: "model" | "rules" | "none";
  model: string | null;
  sources: Source[];
  /** What can be asked without a model, where this question could not be answered. */
  suggestions: SuggestedQuestion[];
}

/** Of a model that cannot be had now. What is wrong with the request itself, or used up, the caller has to know. */
const MODEL_IS_DOWN: ReadonlySet<ErrorCode> = new Set([
  "provider_error",
  "provider_unreachable",
  "provider_misconfigured",
  "provider_timeout",
  "provider_overloaded",
  "provider_rate_limited",
  "provider_switched_off",
  "unavailable",
]);

/**
 * Answers a question about the team's campaigns. A model answers with tools over the metrics, the same verbs as the
 * routes'; each number of the answer is traced to a query, and one that cannot be is removed and told of. Where there is
 * no model, or the caller may not use one (scope `chat`), suggested questions are answered by rules. Needs `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `invalid_request`, and what the gateway throws
 */
export async function askCampaigns(
  context: Context,
  ports: AskPorts,
  call: ModelCall,
  input: AskCampaignsInput,
): Promise<CampaignAnswer> {
  campaignTeam(context.principal);
  const language = input.language ?? languageOf(input.question);
  const suggestion = suggestionFor(input.question);
  const model = await modelFor(context, ports, input);
  if (model === null) return withoutModel(context, suggestion, language);
  try {
    const question = suggestion?.question[language] ?? input.question;
    const { answer, sources } = await askModel(context, ports.gateway, call, {
      model,
      question,
      language,
    });
    const traced = traceNumbers(cleanAnswer(answer), sources);
    if (traced.removed.length > 0)
      context.log.info("ask_numbers_removed", { model, removed: traced.removed.length });
    return { ...traced, language, answeredBy: "model", model, sources, suggestions: [] };
  } catch (thrown) {
    const isDown = thrown instanceof AppError && MODEL_IS_DOWN.has(thrown.code);
    if (!isDown || suggestion === null) throw thrown;
    context.log.warn("ask_without_model", { model, error: thrown });
    return withoutModel(context, suggestion, language);
  }
}

/** The model to ask; null where there is none for this caller. The builtin one cannot read results. */
async function modelFor(
  context: Context,
  { gateway, defaultModel }: AskPorts,
  input: AskCampaignsInput,
): Promise<string | null> {
  if (input.model === null || !hasScope(context.principal, "chat")) return null;
  const name = input.model ?? (await defaultModel());
  const { targets } = await gateway.route(name);
  return targets.every(({ endpoint }) => endpoint === null) ? null : name;
}

async function withoutModel(
  context: Context,
  suggestion: Suggestion | null,
  language: Language,
): Promise<CampaignAnswer> {
  const common = { language, model: null, removed: [] };
  if (suggestion) {
    const { answer, sources } = await answerSuggestion(context, suggestion, language);
    const { numbers } = traceNumbers(answer, sources);
    return { ...common, text: answer, numbers, sources, answeredBy: "rules", suggestions: [] };
  }
  const suggestions = await suggestQuestions(context, { language });
  const text = NO_MODEL[language];
  return { ...common, text, numbers: [], sources: [], answeredBy: "none", suggestions };
}

const NO_MODEL: Record<Language, string> = {
  en: "There is no model to answer questions of one's own. The suggested ones can be answered without it.",
  fa: "مدلی نیست که به پرسش‌های آزاد پاسخ دهد. پرسش‌های پیشنهادی بی آن هم پاسخ دارند.",
};

/** Persian where a letter is Arabic; everything else is answered in the question's own language by the model. */
function languageOf(question: string): Language {
  return /\p{Script=Arabic}/u.test(question) ? "fa" : "en";
}
