import type { AppError, ErrorCode } from "../kernel/errors.ts";

/** The first pause is at most that long, each further one at most twice as long, in milliseconds. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;
/** For longer than that nobody is kept waiting on a provider's `Retry-After`, in milliseconds … */
const LONGEST_WAIT_MS = 5_000;
/** … nor for longer than that where another target may answer at once. */
const LONGEST_WAIT_WITH_OTHERS_MS = 1_000;

/** What may be different a moment later at the same target. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "provider_error",
  "provider_unreachable",
  "provider_overloaded",
  "provider_rate_limited",
  "stream_cut",
]);

export interface FailedAttempt {
  error: AppError;
  /** How many retries at this target came before. */
  retries: number;
  maxRetries: number;
  /** Until the request's deadline, in milliseconds. */
  leftMs: number;
  /** Whether another target is left to be asked. */
  others: boolean;
  /** From 0 up to 1, as Math.random. */
  random(): number;
}

/**
 * How long to wait before the same target is asked again, with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and never before the provider's
 * `Retry-After`.
 * @returns milliseconds; null where it is not asked again
 */
export function retryPause(failed: FailedAttempt): number | null {
  const { error, retries, maxRetries, leftMs, others, random } = failed;
  if (retries >= maxRetries || !mayPass(error)) return null;
  const jitter = random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** retries);
  const asked = retryAfterMs(error);
  if (asked > (others ? LONGEST_WAIT_WITH_OTHERS_MS : LONGEST_WAIT_MS)) return null;
  const pause = asked > 0 ? asked + jitter : jitter;
  return pause < leftMs ? pause : null;
}

/** A time-out that the provider reports may pass; after one of ours, the target has had its time. */
function mayPass(error: AppError): boolean {
  if (error.code === "provider_timeout") return error.details?.["provider_status"] !== undefined;
  return PASSING.has(error.code);
}

/** What the provider asked for, in milliseconds; 0 where it did not. */
export function retryAfterMs(error: AppError): number {
  const exact = error.details?.["retry_after_ms"];
  return typeof exact === "number" ? exact : (error.retryAfterSeconds ?? 0) * 1_000;
}
