import type { AppContext } from "./app-types.ts";

/** Where the API is reached from outside, without a slash at the end: PUBLIC_URL, else where this request came to. */
export function publicOrigin(c: AppContext): string {
  return c.get("deps").settings.PUBLIC_URL ?? new URL(c.req.url).origin;
}
