import { AppError } from "../kernel/errors.ts";

/** How one request uses the response cache. */
export interface CachePolicy {
  /** For how long its answer is kept, in seconds; 0 keeps none. */
  seconds: number;
  /** Whether an answer that is kept may be given. */
  read: boolean;
  /** The oldest answer that may be given, in seconds. */
  maxAge: number;
}

/** What a key that says no more gets, in seconds. */
export const DEFAULT_CACHE_SECONDS = 3_600;
/** The longest that an answer may be kept, in seconds: a week. */
export const LONGEST_CACHE_SECONDS = 7 * 24 * 3_600;

/**
 * How a request uses the cache: its key's setting, which the request's own headers come before. Null where neither
 * asks for it, so that it costs nothing.
 * @param ttl the header `x-cache-ttl`, in seconds; 0 switches the cache off
 * @param cacheControl the header `cache-control`: `no-store`, `no-cache` and `max-age` count
 * @throws AppError `invalid_request`
 */
export function cachePolicyOf(
  keySeconds: number | null,
  ttl: string | undefined,
  cacheControl: string | undefined,
): CachePolicy | null {
  if (keySeconds === null && ttl === undefined) return null;
  const seconds = ttl === undefined ? (keySeconds ?? 0) : readSeconds(ttl);
  const directives = new Set((cacheControl ?? "").toLowerCase().split(/[\s,]+/));
  if (seconds === 0 || directives.has("no-store")) return { seconds: 0, read: false, maxAge: 0 };
  const maxAge = [...directives].find((directive) => /^max-age=\d{1,9}$/.test(directive));
  const age = maxAge === undefined ? Infinity : Number(maxAge.slice("max-age=".length));
  return { seconds, read: !directives.has("no-cache") && age > 0, maxAge: age };
}

function readSeconds(text: string): number {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Infinity;
  if (seconds <= LONGEST_CACHE_SECONDS) return seconds;
  throw new AppError("invalid_request", {
    message: `x-cache-ttl must be a whole number of seconds from 0 to ${LONGEST_CACHE_SECONDS}.`,
    param: "x-cache-ttl",
  });
}
