import type { Fields } from "../../../chat/loose-json.ts";
import { malformed } from "../kind.ts";

/** Whether a model is of the generations before 3: they count thoughts in tokens, and sign none that they insist on. */
export function isBeforeThree(model: string): boolean {
  return /gemini-(?:1|2)(?:\.|-|$)/.test(model);
}

/** Tokens to think with, as Google's own compatible API has them: https://ai.google.dev/gemini-api/docs/openai */
const BUDGETS: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

/** From Gemini 3 on thinking has levels, and cannot be switched off. */
const LEVELS: Readonly<Record<string, string>> = {
  none: "minimal",
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
};

/**
 * Puts `reasoning_effort` into what the model understands; null where the request leaves it to the model.
 * @throws AppError `invalid_request`
 */
export function encodeThinking(effort: unknown, model: string): Fields | null {
  if (effort === undefined || effort === null) return null;
  if (typeof effort !== "string" || !Object.hasOwn(LEVELS, effort))
    throw malformed("reasoning_effort", `must be one of ${Object.keys(LEVELS).join(", ")}`);
  const shown = effort === "none" ? {} : { includeThoughts: true };
  if (isBeforeThree(model)) return { thinkingBudget: BUDGETS[effort], ...shown };
  return { thinkingLevel: LEVELS[effort], ...shown };
}
