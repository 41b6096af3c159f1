import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";
import {
  type CanonicalToolCall,
  type CanonicalUsage,
  count,
  type FinishReason,
} from "../canonical-answer.ts";

/** What one candidate of one answer, or of one event, has to say. */
export interface Said {
  text: string;
  thoughts: string;
  calls: CanonicalToolCall[];
  /** The signature of a part that is no call. */
  signature: string | null;
  /** Google's word for why it ended; null while it has not. */
  finish: string | null;
}

/**
 * Reads a candidate.
 * @param makeId an id for a call that came without one
 */
export function readCandidate(candidate: Fields, makeId: () => string): Said {
  const said: Said = { text: "", thoughts: "", calls: [], signature: null, finish: null };
  const { finishReason } = candidate;
  if (typeof finishReason === "string" && finishReason !== "FINISH_REASON_UNSPECIFIED")
    said.finish = finishReason;
  for (const value of listOf(objectOf(candidate["content"])["parts"])) {
    const part = objectOf(value);
    const { text, thoughtSignature } = part;
    if (part["functionCall"]) said.calls.push(readCall(part, makeId));
    else if (typeof thoughtSignature === "string") said.signature = thoughtSignature;
    if (typeof text !== "string") continue;
    if (part["thought"] === true) said.thoughts += text;
    else said.text += text;
  }
  return said;
}

function readCall(part: Fields, makeId: () => string): CanonicalToolCall {
  const { id, name, args } = objectOf(part["functionCall"]);
  const { thoughtSignature } = part;
  return {
    id: typeof id === "string" && id !== "" ? id : makeId(),
    type: "function",
    function: { name: String(name), arguments: JSON.stringify(args ?? {}) },
    ...(typeof thoughtSignature === "string" ? signedBy(thoughtSignature) : {}),
  };
}

/** Where Google's own OpenAI-compatible API puts signatures too. */
export function signedBy(signature: string): { extra_content: Fields } {
  return { extra_content: { google: { thought_signature: signature } } };
}

const ENDS: Readonly<Record<string, FinishReason>> = { STOP: "stop", MAX_TOKENS: "length" };
/** The model lost its way: what it has said is no answer, and another try may succeed. */
const FAILURES = new Set([
  "MALFORMED_FUNCTION_CALL",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
]);

/** Whether an answer that ended so is none. */
export function isFailure(finish: string): boolean {
  return FAILURES.has(finish);
}

/** All reasons but the two natural ones keep something back. */
export function toFinishReason(finish: string, hasCalls: boolean): FinishReason {
  const reason = ENDS[finish] ?? "content_filter";
  return reason === "stop" && hasCalls ? "tool_calls" : reason;
}

/** The sentence for a prompt that was blocked; null where it was not. */
export function blockedSentence(answer: Fields): string | null {
  const { blockReason } = objectOf(answer["promptFeedback"]);
  return typeof blockReason === "string" ? `The prompt was blocked: ${blockReason}.` : null;
}

/** Tokens as OpenAI counts them: thoughts are part of the completion. */
export function toUsage(metadata: Fields): CanonicalUsage {
  const prompt = count(metadata["promptTokenCount"]) + count(metadata["toolUsePromptTokenCount"]);
  const thoughts = count(metadata["thoughtsTokenCount"]);
  const completion = count(metadata["candidatesTokenCount"]) + thoughts;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: count(metadata["cachedContentTokenCount"]) },
    completion_tokens_details: { reasoning_tokens: thoughts },
  };
}
