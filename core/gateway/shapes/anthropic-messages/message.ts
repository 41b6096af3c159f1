import { estimateTokens } from "../../../chat/estimate-tokens.ts";
import type { CanonicalPart, CanonicalUsage } from "../canonical.ts";

/** What an answer in Anthropic's shape is made with. */
export interface MessageFrame {
  /** Our `req_` id; the message's id is made of it. */
  requestId: string;
  /** The model that was asked for, where the answer names none. */
  model: string;
  /** Counts the request's own tokens, called only where the provider did not. */
  estimateInput: () => number;
}

/** `msg_…`, with the same rest as the request's id. */
export const messageIdOf = (requestId: string) => requestId.replace(/^req_/, "msg_");

/** A message of Anthropic's Messages API before anything is in it. */
export function emptyMessage(frame: MessageFrame, model: string | null) {
  return {
    id: messageIdOf(frame.requestId),
    type: "message" as const,
    role: "assistant" as const,
    model: model ?? frame.model,
    content: [],
    container: null,
    diagnostics: null,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: messageUsage({ input: 0, output: 0, ...NOTHING_SPECIAL }),
  };
}

const NOTHING_SPECIAL = { cachedInput: 0, cacheWrite: 0, cacheWrite1h: 0, reasoning: 0 };

/** Anthropic counts what came out of a cache, or went into it, apart from the input. */
export function deltaUsage(usage: CanonicalUsage) {
  return {
    input_tokens: Math.max(0, usage.input - usage.cachedInput - usage.cacheWrite),
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cachedInput,
    output_tokens: usage.output,
    output_tokens_details: { thinking_tokens: usage.reasoning },
    server_tool_use: null,
  };
}

export function messageUsage(usage: CanonicalUsage) {
  const { cacheWrite, cacheWrite1h } = usage;
  const creation = {
    ephemeral_5m_input_tokens: Math.max(0, cacheWrite - cacheWrite1h),
    ephemeral_1h_input_tokens: cacheWrite1h,
  };
  const nowhere = { inference_geo: null, service_tier: null, speed: null };
  return {
    ...deltaUsage(usage),
    cache_creation: cacheWrite > 0 ? creation : null,
    ...nowhere,
  };
}

/** The usage where the provider told none. */
export const estimatedUsage = (frame: MessageFrame, written: string): CanonicalUsage => ({
  input: frame.estimateInput(),
  output: estimateTokens(written),
  ...NOTHING_SPECIAL,
});

export type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "refusal";

/** How an answer ended. Some providers say "stop" where they call a tool. */
export function stopOf(
  { finishReason, stopSequence }: Pick<CanonicalPart, "finishReason" | "stopSequence">,
  { calledTool, refused }: { calledTool: boolean; refused: boolean },
) {
  const reason = stopReason(finishReason, stopSequence, calledTool, refused);
  const details = { type: "refusal" as const, category: null, explanation: null };
  return {
    stop_reason: reason,
    stop_sequence: reason === "stop_sequence" ? stopSequence : null,
    stop_details: reason === "refusal" ? details : null,
  };
}

function stopReason(
  finishReason: string | null,
  stopSequence: string | null,
  calledTool: boolean,
  refused: boolean,
): StopReason {
  if (finishReason === "length") return "max_tokens";
  if (finishReason === "content_filter" || refused) return "refusal";
  if (calledTool) return "tool_use";
  return stopSequence === null ? "end_turn" : "stop_sequence";
}
