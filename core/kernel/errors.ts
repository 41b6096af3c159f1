import type { LimitRefusal } from "../meter/limit-state.ts";
import { isUnreachable } from "./postgres-errors.ts";

/**
 * The closed set of error codes, and the one table that says what each means at the edge:
 * HTTP status, the type in OpenAI's error body, the title in problem+json, and whether the same
 * request may succeed later. The bot's sentences are keyed by the same codes in its locales.
 */
const ERRORS = {
  // The request itself
  invalid_json: {
    status: 400,
    openai: "invalid_request_error",
    title: "The body is not valid JSON",
    retry: false,
  },
  invalid_request: {
    status: 400,
    openai: "invalid_request_error",
    title: "The request is not valid",
    retry: false,
  },
  validation_failed: {
    status: 422,
    openai: "invalid_request_error",
    title: "The request has invalid fields",
    retry: false,
  },
  unsupported_media_type: {
    status: 415,
    openai: "invalid_request_error",
    title: "The content type is not supported",
    retry: false,
  },
  body_too_large: {
    status: 413,
    openai: "invalid_request_error",
    title: "The body is too large",
    retry: false,
  },
  method_not_allowed: {
    status: 405,
    openai: "invalid_request_error",
    title: "The method is not allowed here",
    retry: false,
  },
  // Who is asking
  missing_api_key: {
    status: 401,
    openai: "invalid_request_error",
    title: "An API key is required",
    retry: false,
  },
  invalid_api_key: {
    status: 401,
    openai: "invalid_request_error",
    title: "The API key is not valid",
    retry: false,
  },
  expired_api_key: {
    status: 401,
    openai: "invalid_request_error",
    title: "The API key has expired",
    retry: false,
  },
  revoked_api_key: {
    status: 401,
    openai: "invalid_request_error",
    title: "The API key was revoked",
    retry: false,
  },
  disabled_api_key: {
    status: 403,
    openai: "invalid_request_error",
    title: "The API key is switched off",
    retry: false,
  },
  invalid_token: {
    status: 401,
    openai: "invalid_request_error",
    title: "The token is not valid",
    retry: false,
  },
  expired_token: {
    status: 401,
    openai: "invalid_request_error",
    title: "The token has expired",
    retry: false,
  },
  ip_not_allowed: {
    status: 403,
    openai: "invalid_request_error",
    title: "The address is not allowed",
    retry: false,
  },
  origin_not_allowed: {
    status: 403,
    openai: "invalid_request_error",
    title: "The origin is not allowed",
    retry: false,
  },
  missing_scope: {
    status: 403,
    openai: "invalid_request_error",
    title: "The API key lacks a scope",
    retry: false,
  },
  forbidden: {
    status: 403,
    openai: "invalid_request_error",
    title: "This is not allowed",
    retry: false,
  },
  skill_switched_off: {
    status: 403,
    openai: "invalid_request_error",
    title: "The skill is switched off",
    retry: false,
  },
  team_suspended: {
    status: 403,
    openai: "invalid_request_error",
    title: "The team is switched off",
    retry: false,
  },
  model_not_allowed: {
    status: 403,
    openai: "invalid_request_error",
    title: "The API key may not use this model",
    retry: false,
  },
  // What is asked for
  not_found: { status: 404, openai: "invalid_request_error", title: "Not found", retry: false },
  model_not_found: {
    status: 404,
    openai: "invalid_request_error",
    title: "The model does not exist",
    retry: false,
  },
  invitation_ended: {
    status: 410,
    openai: "invalid_request_error",
    title: "The invitation cannot be used any more",
    retry: false,
  },
  conflict: {
    status: 409,
    openai: "invalid_request_error",
    title: "This conflicts with what exists",
    retry: false,
  },
  session_busy: {
    status: 409,
    openai: "invalid_request_error",
    title: "The session is answering another message",
    retry: true,
  },
  idempotency_mismatch: {
    status: 422,
    openai: "invalid_request_error",
    title: "The idempotency key was used for another request",
    retry: false,
  },
  context_too_long: {
    status: 400,
    openai: "invalid_request_error",
    title: "The message does not fit the model's context",
    retry: false,
  },
  content_filter: {
    status: 400,
    openai: "invalid_request_error",
    title: "A guard rail refuses the content",
    retry: false,
  },
  // What may be used
  rate_limit_exceeded: {
    status: 429,
    openai: "requests",
    title: "A limit is reached",
    retry: true,
  },
  insufficient_quota: {
    status: 429,
    openai: "insufficient_quota",
    title: "A budget is spent",
    retry: false,
  },
  // The model's provider
  provider_error: {
    status: 502,
    openai: "api_error",
    title: "The model's provider failed",
    retry: true,
  },
  provider_unreachable: {
    status: 502,
    openai: "api_error",
    title: "The model's provider cannot be reached",
    retry: true,
  },
  provider_misconfigured: {
    status: 502,
    openai: "api_error",
    title: "The model's provider refused this gateway",
    retry: false,
  },
  provider_timeout: {
    status: 504,
    openai: "api_error",
    title: "The model's provider took too long",
    retry: true,
  },
  provider_overloaded: {
    status: 503,
    openai: "api_error",
    title: "The model's provider is overloaded",
    retry: true,
  },
  provider_rate_limited: {
    status: 429,
    openai: "rate_limit_error",
    title: "The model's provider limits requests",
    retry: true,
  },
  provider_switched_off: {
    status: 503,
    openai: "api_error",
    title: "The model's provider is switched off",
    retry: true,
  },
  stream_cut: {
    status: 502,
    openai: "api_error",
    title: "The model's provider cut the answer short",
    retry: true,
  },
  // Us
  client_closed: {
    status: 499,
    openai: "api_error",
    title: "The client closed the connection",
    retry: false,
  },
  unavailable: {
    status: 503,
    openai: "api_error",
    title: "The service is not available right now",
    retry: true,
  },
  read_only: {
    status: 503,
    openai: "api_error",
    title: "Changes are switched off",
    retry: true,
  },
  misconfigured: {
    status: 500,
    openai: "api_error",
    title: "The service is not configured",
    retry: false,
  },
  internal_error: {
    status: 500,
    openai: "api_error",
    title: "Something went wrong on our side",
    retry: true,
  },
} as const satisfies Record<string, ErrorMeaning>;

/** What a code means wherever it is shown. */
export interface ErrorMeaning {
  /** HTTP status. */
  status: number;
  /** `error.type` in OpenAI's error body. */
  openai: OpenAiErrorType;
  /** `title` in problem+json: a short sentence, the same for every occurrence. */
  title: string;
  /** Whether the same request may succeed when sent again. */
  retry: boolean;
}

/** OpenAI names the limit's unit, or the spent quota, as the type of an error about limits. */
export type OpenAiErrorType =
  | "invalid_request_error"
  | "rate_limit_error"
  | "requests"
  | "tokens"
  | "insufficient_quota"
  | "api_error";

export type ErrorCode = keyof typeof ERRORS;

/** One place where the request is wrong; `path` is dotted, as in `limits.0.max`. */
export interface FieldError {
  path: string;
  message: string;
  /** What the value may have been meant to be, the likeliest first. */
  suggestions?: string[];
}

export interface AppErrorOptions {
  /** What went wrong and what to do, for the caller. Never contains secrets or another team's data. */
  message: string;
  fields?: FieldError[];
  /** The parameter at fault, for OpenAI's error body. */
  param?: string;
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  retryAfterSeconds?: number;
  /** Fields that the answer carries besides, such as those of a limit; names in lower case. */
  headers?: Readonly<Record<string, string>>;
  /** `error.type` in OpenAI's error body, where it is not the code's own. */
  openAiType?: OpenAiErrorType;
  /** Of `rate_limited` and `budget_exceeded`: which limit it was, and when it resets. */
  limit?: LimitRefusal;
  /** For the log only. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** The only error that reaches a user as what it is; every other one becomes `internal_error` with a fixed sentence. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly fields: FieldError[] | undefined;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  headers: Readonly<Record<string, string>> | undefined;
  readonly openAiType: OpenAiErrorType | undefined;
  readonly limit: LimitRefusal | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions) {
    super(options.message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.fields = options.fields;
    this.param = options.param;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers;
    this.openAiType = options.openAiType;
    this.limit = options.limit;
    this.details = options.details;
  }

  /** Adds fields to its answer; those that it has stay as they are. */
  addHeaders(headers: Readonly<Record<string, string>>): void {
    this.headers = { ...headers, ...this.headers };
  }

  get meaning(): ErrorMeaning {
    return ERRORS[this.code];
  }
}

export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[]; // Object.keys loses the literal type of a const object

/** Of what needed the database while it could not be reached. */
export function databaseUnavailable(cause: unknown): AppError {
  return new AppError("unavailable", {
    message: "The database cannot be reached right now. Try again in a moment.",
    retryAfterSeconds: 1,
    cause,
  });
}

/** Turns whatever was thrown into an AppError. What is not one of ours says a fixed sentence, and keeps its cause for the log. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (isUnreachable(thrown)) return databaseUnavailable(thrown);
  return new AppError("internal_error", {
    message:
      "Something went wrong on our side. Try again, and if it stays, tell us the request id.",
    cause: thrown,
  });
}
