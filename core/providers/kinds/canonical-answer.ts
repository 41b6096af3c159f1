import type { Fields } from "../../chat/loose-json.ts";
import type { KindRequest } from "./kind.ts";

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** Tokens as OpenAI counts them. */
export interface CanonicalUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: {
    cached_tokens: number;
    cache_write_tokens?: number;
    /** The part of the written tokens that stays for an hour, which costs more. */
    cache_write_1h_tokens?: number;
  };
  completion_tokens_details?: { reasoning_tokens: number };
}

/** One call of a function in an answer. */
export interface CanonicalToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
  /** What the provider wants back with the call; Google's own compatible API puts its signatures here too. */
  extra_content?: Fields;
}

/** The message of an answer. */
export interface CanonicalMessage {
  role: "assistant";
  content: string | null;
  reasoning_content?: string;
  refusal: string | null;
  tool_calls?: CanonicalToolCall[];
  extra_content?: Fields;
}

export interface CanonicalChoice {
  index: number;
  message: CanonicalMessage;
  finish_reason: FinishReason;
  /** The stop sequence that ended the answer, as vLLM tells it too. */
  stop_reason?: string;
}

/** The canonical text of a whole answer. */
export function completionText(
  id: string,
  { model, now }: KindRequest,
  choices: CanonicalChoice[],
  usage: CanonicalUsage | null,
): string {
  return JSON.stringify({
    id,
    object: "chat.completion",
    created: Math.floor(now / 1000),
    model,
    choices: choices.map((choice) => ({ ...choice, logprobs: null })),
    ...(usage ? { usage } : {}),
  });
}

export const DONE = "data: [DONE]\n\n";

/** Writes the chunks of one streamed answer. */
export class ChunkWriter {
  /** May become known with the first event. */
  id: string;
  private readonly created: number;
  private readonly model: string;

  constructor({ requestId, model, now }: KindRequest) {
    this.id = `chatcmpl-${requestId}`;
    this.model = model;
    this.created = Math.floor(now / 1000);
  }

  delta(delta: Fields, index = 0, finish: FinishReason | null = null): string {
    return this.chunk([{ index, delta, logprobs: null, finish_reason: finish }]);
  }

  /** The last chunk of a choice that a stop sequence ended. */
  stopped(delta: Fields, sequence: string): string {
    const end = { finish_reason: "stop", stop_reason: sequence };
    return this.chunk([{ index: 0, delta, logprobs: null, ...end }]);
  }

  usage(usage: CanonicalUsage): string {
    return this.chunk([], usage);
  }

  private chunk(choices: Fields[], usage?: CanonicalUsage): string {
    const { id, created, model } = this;
    const object = "chat.completion.chunk";
    return `data: ${JSON.stringify({ id, object, created, model, choices, ...(usage ? { usage } : {}) })}\n\n`;
  }
}

/** An error in the middle of a stream; after it there is nothing more. */
export function streamError(type: string, message: string): string {
  return `data: ${JSON.stringify({ error: { message, type, param: null, code: null } })}\n\n`;
}

/** A count of tokens; 0 where the provider says nothing. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : 0;
}
