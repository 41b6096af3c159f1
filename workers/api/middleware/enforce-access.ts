import { type AccessRules, checkAddress } from "#core/access/access-rules.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { AppContext } from "../app-types.ts";
import { discardBody, tooLarge } from "./body-limit.ts";

/**
 * Whence a request came. Cloudflare sets this header and takes away what a client sends of it; headers that a client
 * can write, such as x-forwarded-for, are read nowhere.
 */
export function addressOf(c: AppContext): string | null {
  return c.req.raw.headers.get("cf-connecting-ip");
}

/**
 * Holds a request to what its key and its team ask of it. Where they ask nothing and no page asks, it costs two looks.
 * @throws AppError `ip_not_allowed`, `origin_not_allowed`, `body_too_large`
 */
export async function enforceAccess(c: AppContext, access: AccessRules | null): Promise<void> {
  if (access) checkAddress(access, addressOf(c));
  const origin = c.req.raw.headers.get("origin");
  if (origin !== null) {
    if (!isAllowedOrigin(c, origin, access?.origins ?? [])) throw originNotAllowed(origin);
    c.set("originAllowed", true);
  }
  if (access && access.maxBodyBytes !== null && c.get("bodyBytes") > access.maxBodyBytes) {
    await discardBody(c.req.raw);
    throw tooLarge(access.maxBodyBytes);
  }
}

/** Whether a page of this origin may call: by the settings, by its team, or since it is a page of ours. */
export function isAllowedOrigin(c: AppContext, origin: string, ofTeam: readonly string[]): boolean {
  const { ALLOWED_ORIGINS: everywhere, PUBLIC_URL } = c.get("deps").settings;
  const lists = [everywhere, ofTeam];
  if (lists.some((list) => list.includes("*") || list.includes(origin))) return true;
  if (origin === new URL(c.req.url).origin) return true;
  return PUBLIC_URL !== null && origin === new URL(PUBLIC_URL).origin;
}

function originNotAllowed(origin: string): AppError {
  return new AppError("origin_not_allowed", {
    message: `Pages of ${origin.slice(0, 300)} may not call the API for this team. An admin can add the origin to the team's allowed_origins, an operator to ALLOWED_ORIGINS.`,
  });
}
