import {
  anthropicStatus,
  writeErrorBody,
} from "#core/gateway/shapes/anthropic-messages/error-body.ts";
import type { AppError } from "#core/kernel/errors.ts";

/** Paths whose clients expect OpenAI's error body. */
const OPENAI_PATHS = /^\/v1\/(chat\/completions|completions|models|embeddings|responses)(\/|$)/;
/** Paths whose clients expect Anthropic's, and those that they share with OpenAI's. */
const ANTHROPIC_PATHS = /^\/v1\/messages(\/|$)/;
const SHARED_PATHS = /^\/v1\/models(\/|$)/;

/** Whether a request is one of Anthropic's API: by its path, or by the header that its clients always send. */
export function isAnthropicRequest(path: string, anthropicVersion: string | undefined): boolean {
  return ANTHROPIC_PATHS.test(path) || (anthropicVersion !== undefined && SHARED_PATHS.test(path));
}

/** The request that an error answers. */
export interface FailedRequest {
  path: string;
  requestId: string;
  /** The header `anthropic-version`. */
  anthropicVersion: string | undefined;
}

/** An error as its client knows it: OpenAI's or Anthropic's shape for paths compatible with them, RFC 9457 elsewhere. */
export function errorResponse(error: AppError, request: FailedRequest): Response {
  const { path, requestId, anthropicVersion } = request;
  const headers = new Headers();
  if (error.retryAfterSeconds !== undefined)
    headers.set("retry-after", String(error.retryAfterSeconds));
  if (!error.meaning.retry && error.meaning.status >= 408) headers.set("x-should-retry", "false");
  if (error.meaning.status === 401) headers.set("www-authenticate", "Bearer");
  for (const name in error.headers) headers.set(name, error.headers[name] ?? "");
  if (isAnthropicRequest(path, anthropicVersion)) {
    headers.set("content-type", "application/json");
    headers.set("request-id", requestId);
    const body = writeErrorBody(error, requestId);
    return new Response(JSON.stringify(body), { status: anthropicStatus(error), headers });
  }
  if (OPENAI_PATHS.test(path)) {
    headers.set("content-type", "application/json");
    return new Response(JSON.stringify(openAiErrorBody(error, requestId)), {
      status: error.meaning.status,
      headers,
    });
  }
  headers.set("content-type", "application/problem+json");
  return new Response(JSON.stringify(problemBody(error, requestId)), {
    status: error.meaning.status,
    headers,
  });
}

export function openAiErrorBody(error: AppError, requestId: string) {
  return {
    error: {
      message: error.message,
      type: error.openAiType ?? error.meaning.openai,
      param: error.param ?? error.fields?.[0]?.path ?? null,
      code: error.code,
      request_id: requestId,
    },
  };
}

export function problemBody(error: AppError, requestId: string) {
  return {
    type: `urn:switchyard:error:${error.code}`,
    title: error.meaning.title,
    status: error.meaning.status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.fields ? { errors: error.fields } : {}),
  };
}
