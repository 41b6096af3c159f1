import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../app-types.ts";

/** How long a browser may remember what it was allowed, in seconds. */
const REMEMBER_SECONDS = 600;

/** Headers that a page may read: ids, timing and limits. */
const EXPOSED = [
  "x-request-id",
  "x-client-request-id",
  "traceparent",
  "server-timing",
  "x-cache",
  "age",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-tokens",
  "ratelimit-policy",
  "ratelimit",
  "x-limit-warning",
  "idempotent-replayed",
];

/**
 * Lets pages of ALLOWED_ORIGINS call the API from a browser; `*` lets all. Keys travel in a header and never in a
 * cookie, so credentials are not allowed.
 */
export const allowOrigins: MiddlewareHandler<AppEnv> = cors({
  origin: (origin, c) => {
    const allowed = (c as Parameters<MiddlewareHandler<AppEnv>>[0]).get("deps").settings
      .ALLOWED_ORIGINS; // cors() knows no AppEnv
    return allowed.includes("*") || allowed.includes(origin) ? origin : null;
  },
  allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  exposeHeaders: EXPOSED,
  maxAge: REMEMBER_SECONDS,
});
