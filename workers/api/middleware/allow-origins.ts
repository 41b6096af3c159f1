import type { Next } from "hono";
import type { AppContext } from "../app-types.ts";
import { isAllowedOrigin } from "./enforce-access.ts";

/** How long a browser may remember what it was allowed, in seconds. */
const REMEMBER_SECONDS = "600";

const METHODS = "GET,POST,PUT,PATCH,DELETE";

/** Headers that a page may read: ids, timing, limits and what the caches did. */
const EXPOSED = [
  "x-request-id",
  "x-client-request-id",
  "traceparent",
  "server-timing",
  "x-cache",
  "x-parameters-left-out",
  "age",
  "x-switchyard-provider",
  "x-switchyard-attempts",
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
].join(",");

/**
 * Lets pages in browsers call the API. A preflight comes without a key, so nobody can tell its team: it is answered for
 * every origin. The request itself is held to ALLOWED_ORIGINS and its team's list (enforce-access.ts) before anything
 * is done, and only then may the page read the answer. Keys travel in a header and never in a cookie, so credentials
 * are not allowed (docs/adr/0070).
 */
export async function allowOrigins(c: AppContext, next: Next): Promise<Response | void> {
  const asked = c.req.raw.headers;
  const origin = asked.get("origin");
  if (origin === null) return next();
  if (c.req.method === "OPTIONS" && asked.has("access-control-request-method"))
    return preflight(origin, asked.get("access-control-request-headers"));
  await next();
  const { headers } = c.res;
  headers.append("vary", "origin");
  if (!mayRead(c, origin)) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
}

function preflight(origin: string, wanted: string | null): Response {
  const headers = new Headers({
    "access-control-allow-origin": origin,
    "access-control-allow-methods": METHODS,
    "access-control-max-age": REMEMBER_SECONDS,
    vary: "origin, access-control-request-headers",
  });
  if (wanted !== null) headers.set("access-control-allow-headers", wanted);
  return new Response(null, { status: 204, headers });
}

/**
 * Whether a page may read an answer: where its origin was let in, or, on routes without a key, is one of the settings.
 * A refusal that came before the key was known tells nothing of any team, and a page that can read it can say why.
 */
function mayRead(c: AppContext, origin: string): boolean {
  if (c.get("originAllowed")) return true;
  const principal: AppContext["var"]["principal"] | undefined = c.get("principal");
  if (principal !== undefined) return false;
  return c.res.status >= 400 || isAllowedOrigin(c, origin, []);
}
