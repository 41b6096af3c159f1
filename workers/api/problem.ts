import { type AppError } from "#core/kernel/errors.ts";

/** Paths whose clients expect OpenAI's error body. */
const OPENAI_PATHS = /^\/v1\/(chat\/completions|completions|models|embeddings)(\/|$)/;

/** An error as the answer of its path: OpenAI's shape for OpenAI-compatible paths, RFC 9457 elsewhere. */
export function errorResponse(error: AppError, path: string, requestId: string): Response {
  const headers = new Headers();
  if (error.retryAfterSeconds !== undefined)
    headers.set("retry-after", String(error.retryAfterSeconds));
  if (!error.meaning.retry && error.meaning.status >= 408) headers.set("x-should-retry", "false");
  if (error.meaning.status === 401) headers.set("www-authenticate", "Bearer");
  for (const name in error.headers) headers.set(name, error.headers[name] ?? "");
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
