import { objectOf } from "../../../chat/loose-json.ts";
import {
  type Exchange,
  type KindRequest,
  malformed,
  type ProviderKind,
  type Refusal,
} from "../kind.ts";

/**
 * OpenAI's own protocol, which OpenRouter, Groq, Mistral, Ollama, vLLM and many others speak too. It is the canonical
 * form: requests get the provider's name of the model, and answers pass as they are.
 */
export const openai: ProviderKind = {
  name: "openai",
  label: "an OpenAI-compatible API",
  baseUrl: null,
  setHeaders(headers, apiKey) {
    if (apiKey !== null) headers["authorization"] = `Bearer ${apiKey}`;
  },
  chat({ raw, stream, targetModel }) {
    const body: Record<string, unknown> = { ...raw, model: targetModel };
    const messages = withoutForeign(raw["messages"], targetModel);
    if (messages !== null) body["messages"] = messages;
    if (stream) body["stream_options"] = { ...streamOptions(raw), include_usage: true };
    return untranslated("/chat/completions", body);
  },
  embeddings: ({ raw, targetModel }: KindRequest) =>
    untranslated("/embeddings", { ...raw, model: targetModel }),
  readRefusal,
};

/**
 * The messages without what other kinds put into `extra_content` for themselves: strict servers refuse a request for
 * it. Google's compatible API wants its own back.
 * @returns null where nothing has to go, as nearly always
 */
function withoutForeign(messages: unknown, targetModel: string): unknown[] | null {
  if (!Array.isArray(messages) || !messages.some(hasExtra) || /gemini/i.test(targetModel))
    return null;
  const bare = (value: unknown) => {
    const { extra_content: _extra, ...rest } = objectOf(value);
    return rest;
  };
  return messages.map((message) => {
    const calls = objectOf(message)["tool_calls"];
    return Array.isArray(calls) ? { ...bare(message), tool_calls: calls.map(bare) } : bare(message);
  });
}

function hasExtra(message: unknown): boolean {
  if (typeof message !== "object" || message === null) return false;
  if ("extra_content" in message) return true;
  const calls = "tool_calls" in message ? message.tool_calls : null;
  return Array.isArray(calls) && calls.some(hasExtra);
}

function untranslated(path: string, body: Record<string, unknown>): Exchange {
  return {
    request: { by: "http", path, body: JSON.stringify(body) },
    decodeWhole: null,
    translateStream: null,
  };
}

/**
 * The request's own `stream_options`.
 * @throws AppError `invalid_request`
 */
export function streamOptions(raw: Record<string, unknown>): Record<string, unknown> {
  const options = raw["stream_options"];
  if (options === undefined || options === null) return {};
  if (typeof options === "object" && !Array.isArray(options))
    return options as Record<string, unknown>; // an object, as checked
  throw malformed("stream_options", "must be an object");
}

/** Reads the sentence and the parameter of an error body, `{"error": {"message", "param"}}` or `{"error": "…"}`. */
export function readRefusal(status: number, text: string | null): Refusal {
  const refusal: Refusal = { status, message: null, param: null, retryAfterSeconds: null };
  try {
    const body = JSON.parse(text ?? "") as {
      error?: { message?: unknown; param?: unknown } | string;
    }; // checked field by field below
    const error = typeof body.error === "string" ? { message: body.error } : body.error;
    if (typeof error?.message !== "string") return refusal;
    return {
      ...refusal,
      message: error.message,
      param: typeof error.param === "string" ? error.param : null,
    };
  } catch {
    return refusal;
  }
}
