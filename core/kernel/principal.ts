import { AppError } from "./errors.ts";
import type { Scope } from "./scopes.ts";

/** Who acts. Every query takes its team from here, never from the request. */
export type Principal =
  | {
      kind: "super_admin";
      teamId: string | null;
      /** The first 12 hex digits of the key's SHA-256: tells super admins apart, and nothing of the key. */
      fingerprint?: string;
    }
  | {
      kind: "key";
      teamId: string;
      keyId: string;
      scopes: readonly Scope[];
      /** Names of allowed models; `*` allows all. */
      models: readonly string[];
      /** For how long answers to its requests are kept, in seconds. */
      cacheSeconds?: number | null;
    }
  /** A Telegram chat that is linked to a team; comes by service binding only. */
  | { kind: "telegram"; teamId: string; chatId: string; endUser: string }
  /** A schedule or a queue consumer. */
  | { kind: "system"; teamId: null };

/** Whether the principal may do what the scope names. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  switch (principal.kind) {
    case "super_admin":
    case "system":
      return true;
    case "telegram":
      return scope === "chat" || scope === "sessions" || scope === "usage:read";
    case "key":
      return principal.scopes.includes("admin") || principal.scopes.includes(scope);
  }
}

/** @throws AppError `missing_scope` */
export function requireScope(principal: Principal, scope: Scope): void {
  if (hasScope(principal, scope)) return;
  throw new AppError("missing_scope", {
    message: `This needs the scope "${scope}". Use a key that has it, or give it to this key.`,
  });
}

/** @throws AppError `forbidden` for everybody but super admins */
export function requireSuperAdmin(principal: Principal): void {
  if (principal.kind === "super_admin") return;
  throw new AppError("forbidden", {
    message: "Only a super admin may do this. Use a key from SUPER_ADMIN_API_KEYS.",
  });
}

/** Whether the principal may use the model of this name. */
export function mayUseModel(principal: Principal, model: string): boolean {
  return (
    principal.kind !== "key" || principal.models.includes("*") || principal.models.includes(model)
  );
}

/**
 * The team whose things a list or an object route may touch; `null` means every team, and only super admins
 * who named none get it.
 */
export function teamScope(principal: Principal): string | null {
  return principal.teamId;
}

/**
 * The one team that an operation needs, such as a chat that has to be charged to somebody.
 * @throws AppError `invalid_request` when a super admin has not named one
 */
export function requireTeam(principal: Principal): string {
  if (principal.teamId !== null) return principal.teamId;
  throw new AppError("invalid_request", {
    message: "Say for which team: send the team's id in the header x-team-id.",
    param: "x-team-id",
  });
}
