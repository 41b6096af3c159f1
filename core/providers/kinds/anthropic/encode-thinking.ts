import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { malformed } from "../kind.ts";

/** How long a model is to think, in the words of the Messages API. */
export interface Thinking {
  thinking: Fields | null;
  effort: string | null;
}

/** Models before Claude 4.6 take a budget of tokens; newer ones refuse it, and take an effort. */
const TAKES_BUDGET =
  /claude-3|claude-(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:$|-20\d{6}|@|-latest|-v\d)/;

/** The least that it takes. */
const LEAST_BUDGET = 1_024;
/** How much of an answer's limit may go into thinking; it counts in it. */
const SHARE = 0.75;
/** Tokens to think with for each effort. */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_768,
  max: 65_536,
};
const NONE: Thinking = { thinking: null, effort: null };

const EFFORTS: Readonly<Record<string, string>> = {
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
  max: "max",
};

/**
 * Puts `reasoning_effort` into what the model understands.
 * https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
 * @throws AppError `invalid_request`
 */
export function encodeThinking(
  effort: unknown,
  model: string,
  maxTokens: number,
  messages: Fields[],
): Thinking {
  if (effort === undefined || effort === null) return NONE;
  if (effort === "none") return { thinking: { type: "disabled" }, effort: null };
  const known = typeof effort === "string" && Object.hasOwn(EFFORTS, effort) ? effort : null;
  if (known === null)
    throw malformed("reasoning_effort", `must be one of none, ${Object.keys(EFFORTS).join(", ")}`);
  if (!TAKES_BUDGET.test(model)) {
    const thinking = { type: "adaptive", display: "summarized" };
    return { thinking, effort: EFFORTS[known] ?? null };
  }
  // In the middle of calls of tools such a model thinks on from its own thoughts, or refuses.
  if (lostItsThoughts(messages)) return NONE;
  // The limit stays what it is: it is what the request may cost at most.
  const budget = Math.min(BUDGETS[known] ?? LEAST_BUDGET, Math.floor(maxTokens * SHARE));
  if (budget < LEAST_BUDGET) return NONE;
  return { thinking: { type: "enabled", budget_tokens: budget }, effort: null };
}

/** Whether the calls that the request answers came without the thoughts that led to them. */
function lostItsThoughts(messages: Fields[]): boolean {
  const last = messages.findLast(({ role }) => role === "assistant");
  const types = listOf(last?.["content"]).map((block) => objectOf(block)["type"]);
  const thought = types[0] === "thinking" || types[0] === "redacted_thinking";
  return types.includes("tool_use") && !thought;
}
