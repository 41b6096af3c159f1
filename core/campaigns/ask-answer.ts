import { z } from "zod";
import type { CampaignAnswer } from "./ask-campaigns.ts";
import { LANGUAGES } from "./words/figures.ts";

export const suggestedQuestion = z.object({
  id: z.string().describe("May be sent as the question"),
  question: z.string(),
});

/** An answer about campaigns as routes, skills and chats give it. */
export const askAnswer = z.object({
  answer: z.string().describe("Plain text; […] stands where a number was removed"),
  language: z.enum(LANGUAGES),
  answered_by: z
    .enum(["model", "rules", "none"])
    .describe(
      "`rules`: made of one query without a model; `none`: nobody could, see `suggested_questions`",
    ),
  model: z.string().nullable(),
  flagged: z.boolean().describe("Whether a number was removed, since no query gave it"),
  removed: z.array(
    z.object({ text: z.string(), context: z.string().describe("What stood around it") }),
  ),
  numbers: z
    .array(
      z.object({
        text: z.string(),
        source: z.string(),
        from: z.string().describe("Where in the source, or how it follows from two numbers"),
      }),
    )
    .describe("Each number of the answer, and where it comes from"),
  sources: z
    .array(
      z.object({
        id: z.string(),
        tool: z.string(),
        arguments: z.record(z.string(), z.unknown()),
        result: z.unknown(),
      }),
    )
    .describe("The queries that were made, with their results"),
  suggested_questions: z.array(suggestedQuestion),
});
export type AskAnswer = z.output<typeof askAnswer>;

export function toAskAnswer(answer: CampaignAnswer): AskAnswer {
  return {
    answer: answer.text,
    language: answer.language,
    answered_by: answer.answeredBy,
    model: answer.model,
    flagged: answer.removed.length > 0,
    removed: answer.removed,
    numbers: answer.numbers,
    sources: answer.sources,
    suggested_questions: answer.suggestions,
  };
}
