import { z } from "zod";

/** One try at a callback, as its team sees it. */
export const callbackAttempt = z.object({
  /** From 1. */
  number: z.number().int(),
  at: z.string(),
  /** HTTP status; null where no answer came. */
  status: z.number().int().nullable(),
  /** Why it did not count; null where it did. */
  error: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  /** How the answer began, as text. */
  answer: z.string(),
});

export type CallbackAttempt = z.infer<typeof callbackAttempt>;

/** Of a try that is under way, or whose process died before it could note what came of it. */
export const UNKNOWN_OUTCOME = "It is not known what came of this try.";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Seconds to the next try after each failed one, the first as Standard Webhooks has it: almost 24 hours together. */
const PAUSES = [5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 7 * HOUR, 12 * HOUR];

/** The longest that a receiver may ask to be left alone, in seconds. */
const LONGEST_PAUSE = 12 * HOUR;

/** How much longer a pause may be, as a part of it, so that receivers which were down are not met by all at once. */
const JITTER = 0.1;

/**
 * When a callback is tried again.
 * @param tries so far, since it was last asked for
 * @param retryAfter what the receiver asked for, in seconds
 * @param random from 0 to 1
 * @returns seconds; null when it was tried often enough
 */
export function pauseAfter(
  tries: number,
  retryAfter: number | null,
  random: number,
): number | null {
  const pause = PAUSES[tries - 1];
  if (pause === undefined) return null;
  const wanted = Math.min(retryAfter ?? 0, LONGEST_PAUSE);
  return Math.round(Math.max(pause, wanted) * (1 + JITTER * random));
}
