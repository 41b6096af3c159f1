import { AppError, type ErrorCode } from "../../../kernel/errors.ts";

/** The names that Anthropic's clients know errors by. */
export type AnthropicErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "conflict_error"
  | "request_too_large"
  | "rate_limit_error"
  | "timeout_error"
  | "overloaded_error"
  | "api_error";

/** What Anthropic answers with when its models have too much to do; no other API knows the number. */
const OVERLOADED = 529;

const TYPES: ReadonlyMap<number, AnthropicErrorType> = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [408, "timeout_error"],
  [409, "conflict_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
  [OVERLOADED, "overloaded_error"],
]);

/** The status that Anthropic's clients expect for an error. */
export function anthropicStatus(error: AppError): number {
  return error.code === "provider_overloaded" ? OVERLOADED : error.meaning.status;
}

/** The field by which a client continues a conversation that the server holds. */
export const THREAD = "thread";

/** At this Anthropic's own client, whose runner of tools asks for such a conversation by itself, goes on without one. */
const WITHOUT_THREAD = { error_code: "thread_unsupported_request", unsupported: [THREAD] };

/** An error as the body of an answer, or as the data of a stream's last event. */
export function writeErrorBody(
  error: { code: ErrorCode; message: string; param?: string | undefined },
  requestId: string,
) {
  const status = anthropicStatus(new AppError(error.code, error));
  const type = TYPES.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error");
  return {
    type: "error" as const,
    error: {
      type,
      message: error.message,
      ...(error.param === THREAD ? { details: WITHOUT_THREAD } : {}),
    },
    request_id: requestId,
  };
}
