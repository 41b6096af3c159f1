import { type Fields, objectOf } from "../../../chat/loose-json.ts";
import { type CanonicalUsage, count, type FinishReason } from "../canonical-answer.ts";

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

/** Why an answer ended; a turn, a stop sequence and what is not known yet are its natural end. */
export function finishReason(stopReason: unknown): FinishReason {
  return FINISH_REASONS[String(stopReason)] ?? "stop";
}

/** The sentence of a refusal, where there is one. */
export function refusalOf(message: Fields): string | null {
  if (message["stop_reason"] !== "refusal") return null;
  const { explanation } = objectOf(message["stop_details"]);
  return typeof explanation === "string" ? explanation : null;
}

/**
 * Tokens as OpenAI counts them. Anthropic's `input_tokens` leave out what its cache read and wrote; OpenAI's
 * `prompt_tokens` have it all.
 */
export function toUsage(usage: Fields): CanonicalUsage {
  const written = count(usage["cache_creation_input_tokens"]);
  const read = count(usage["cache_read_input_tokens"]);
  const prompt = count(usage["input_tokens"]) + written + read;
  const completion = count(usage["output_tokens"]);
  const long = count(objectOf(usage["cache_creation"])["ephemeral_1h_input_tokens"]);
  const thinking = objectOf(usage["output_tokens_details"])["thinking_tokens"];
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: read,
      cache_write_tokens: written,
      ...(long > 0 ? { cache_write_1h_tokens: long } : {}),
    },
    ...(typeof thinking === "number"
      ? { completion_tokens_details: { reasoning_tokens: count(thinking) } }
      : {}),
  };
}
