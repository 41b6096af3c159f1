import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import { malformed } from "../kind.ts";
import { abilitiesOf } from "./abilities.ts";

/** How long a model is to think, in the words of the Messages API. */
export interface Thinking {
  thinking: Fields | null;
  effort: string | null;
}

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
/** For models that cannot be kept from thinking. */
const LEAST_EFFORT = "low";
const NONE: Thinking = { thinking: null, effort: null };

const EFFORTS: Readonly<Record<string, string>> = {
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
  max: "max",
};

/** What a request's thinking depends on. */
export interface ThinkingInput {
  effort: unknown;
  model: string;
  maxTokens: number;
  /** The turns, as the Messages API has them. */
  messages: Fields[];
  /** Whether the model has to call a tool: then it must not be told to think. */
  forced: boolean;
}

/**
 * Puts `reasoning_effort` into what the model understands.
 * https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
 * @throws AppError `invalid_request`
 */
export function encodeThinking(input: ThinkingInput): Thinking {
  const { effort, model, maxTokens, messages, forced } = input;
  if (effort === undefined || effort === null) return NONE;
  const abilities = abilitiesOf(model);
  if (effort === "none") {
    return abilities.mayStopThinking
      ? { thinking: { type: "disabled" }, effort: null }
      : { thinking: null, effort: LEAST_EFFORT };
  }
  const known = typeof effort === "string" && Object.hasOwn(EFFORTS, effort) ? effort : null;
  if (known === null)
    throw malformed("reasoning_effort", `must be one of none, ${Object.keys(EFFORTS).join(", ")}`);
  if (!abilities.budget) {
    const thinking = forced ? null : { type: "adaptive", display: "summarized" };
    return { thinking, effort: EFFORTS[known] ?? null };
  }
  // In the middle of calls of tools such a model thinks on from its own thoughts, or refuses.
  if (forced || lostItsThoughts(messages)) return NONE;
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
