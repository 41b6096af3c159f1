import type { Next } from "hono";
import type { AppContext } from "../app-types.ts";
import { inheritInternal } from "../internal-actor.ts";

/**
 * Reads a body of nothing as `{}`, for routes whose every field may be left out: many clients say that they send JSON
 * whatever they send. Comes after bodyLimit, which counts.
 */
export function emptyBodyAsObject(c: AppContext, next: Next): Promise<void> {
  if (c.get("bodyBytes") === 0 && c.req.raw.headers.has("content-type")) {
    const filled = new Request(c.req.raw, { method: c.req.method, body: "{}" });
    inheritInternal(c.req.raw, filled);
    c.req.raw = filled;
  }
  return next();
}
