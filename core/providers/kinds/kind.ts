import type { SseEvent } from "../../chat/sse.ts";
import { AppError } from "../../kernel/errors.ts";

/** The protocols that providers speak. */
export const KIND_NAMES = ["openai", "anthropic", "gemini", "workers_ai"] as const;
export type KindName = (typeof KIND_NAMES)[number];

/** A request in the canonical form, OpenAI's, and where it goes. */
export interface KindRequest {
  /** The body as the client sent it. */
  raw: Record<string, unknown>;
  stream: boolean;
  /** The name that the client used; it stands in translated answers. */
  model: string;
  /** The provider's own name of the model. */
  targetModel: string;
  /** The most tokens that the model writes, where the catalog knows. */
  maxOutputTokens: number | null;
  /** Our own id of the request; ids of answers are made of it where the provider gives none. */
  requestId: string;
  /** Milliseconds since 1970; when translated answers say that they were made. */
  now: number;
}

/** How a request reaches its provider: over HTTP below its base URL, or by the Workers AI binding. */
export type ProviderRequest =
  | { by: "http"; path: string; body: string; headers?: Record<string, string> }
  | { by: "ai_binding"; model: string; input: Record<string, unknown> };

/** A request in the provider's form, and how its answer is read. It may be sent several times. */
export interface Exchange {
  request: ProviderRequest;
  /**
   * Turns a whole answer's text into the canonical one; null where it is that already.
   * @throws anything where the text is no answer of this provider
   */
  decodeWhole: ((text: string) => string) | null;
  /** The parameters that its provider is not told, as the model has nothing like them; for the client to know. */
  leftOut?: string[];
  /** Makes the translator of one streamed answer; null where its bytes are canonical already. */
  translateStream: (() => StreamTranslator) | null;
}

/** Turns a provider's events into canonical ones: `data: {…}` chunks, the usage chunk, and `data: [DONE]`. */
export interface StreamTranslator {
  /**
   * Takes one event, and returns the text of the canonical events that follow from it, often none.
   * The last of a whole answer is `[DONE]`; an error of the provider becomes `data: {"error": …}`.
   * @throws anything where the event makes no sense; the stream counts as cut then
   */
  push(event: SseEvent): string;
  /** The stream has ended: what is still to be said. Says `[DONE]` only where the provider said all that it had to say. */
  end(): string;
}

/** A provider's refusal as its error answer tells it. */
export interface Refusal {
  /** The HTTP status, corrected where the provider uses another than OpenAI does for the same thing. */
  status: number;
  /** The provider's own sentence, where it has one. */
  message: string | null;
  /** The parameter at fault, where it names one. */
  param: string | null;
  /** Where the body says more than the `Retry-After` field. */
  retryAfterSeconds: number | null;
}

/** A protocol: how requests are put into it, and answers read out of it. It keeps no state and does nothing by itself. */
export interface ProviderKind {
  name: KindName;
  /** What it is called in sentences. */
  label: string;
  /** Where its API begins unless an operator says otherwise; null where they have to, or there is no address at all. */
  baseUrl: string | null;
  /** Presents the API key, and what else the protocol wants in each request's header. */
  setHeaders(headers: Record<string, string>, apiKey: string | null): void;
  /** @throws AppError `invalid_request` that names the parameter which the protocol cannot express */
  chat(request: KindRequest): Exchange;
  /** Null where the protocol has no embeddings. @throws as `chat` does */
  embeddings: ((request: KindRequest) => Exchange) | null;
  /** Reads an error answer. @param text null where it could not be read */
  readRefusal(status: number, text: string | null): Refusal;
}

/** A request makes no sense in the canonical form. */
export function malformed(param: string, sentence: string): AppError {
  return new AppError("invalid_request", { message: `${param} ${sentence}.`, param });
}

/** A request asks for what the provider's protocol cannot do. */
export function unsupported(kind: string, param: string, sentence: string): AppError {
  return new AppError("invalid_request", {
    message: `${param} ${sentence} (this model is served by ${kind}).`,
    param,
  });
}
