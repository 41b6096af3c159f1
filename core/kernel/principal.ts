import { AppError } from "./errors.ts";
import type { Permission, Role } from "./permissions.ts";
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
  /** The bearer of an OIDC token: a person or a program that one of OIDC_ISSUERS vouches for. */
  | {
      kind: "token";
      teamId: string;
      issuer: string;
      subject: string;
      /** Who this is in the team; null for those whom the issuer's rule lets in without a membership. */
      member: { id: string; role: Role } | null;
      scopes: readonly Permission[];
      models: readonly string[];
      /** The end user that the token stands for; null for a program that names its own users. */
      endUser: string | null;
    }
  /** The bearer of an OIDC token who is in no team: reaches who they are and invitations, and nothing of any team. */
  | { kind: "person"; teamId: null; issuer: string; subject: string }
  /** A Telegram chat that is linked to a team; comes by service binding only. */
  | {
      kind: "telegram";
      teamId: string;
      chatId: string;
      endUser: string;
      /** As core/telegram/chat-scopes.ts has them. */
      scopes: readonly Scope[];
    }
  /** A job, which does for its team what its creator was allowed when it was made. */
  | {
      kind: "job";
      teamId: string;
      jobId: string;
      /** Who made it, by `actorName`. */
      createdBy: string;
      scopes: readonly Scope[];
      models: readonly string[];
      endUser: string | null;
    }
  /** A schedule or a queue consumer. */
  | { kind: "system"; teamId: null };

/** Whether the principal may do what the scope names. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  switch (principal.kind) {
    case "super_admin":
    case "system":
      return true;
    case "telegram":
      return principal.scopes.includes(scope); // `admin` is none of them
    case "person":
      return false;
    case "key":
    case "token":
    case "job":
      return principal.scopes.includes("admin") || principal.scopes.includes(scope);
  }
}

/** @throws AppError `missing_scope` */
export function requireScope(principal: Principal, scope: Scope): void {
  if (hasScope(principal, scope)) return;
  if (principal.kind === "person") throw inNoTeam();
  throw new AppError("missing_scope", {
    message:
      principal.kind === "token"
        ? `This needs the scope "${scope}", which ${principal.member ? `the role "${principal.member.role}" does` : "this token does"} not have.`
        : principal.kind === "telegram"
          ? `This needs the scope "${scope}", which this chat does not have.`
          : `This needs the scope "${scope}". Use a key that has it, or give it to this key.`,
  });
}

/** Whether the principal owns the team that it acts for. No key does, whatever its scopes. */
export function isOwner(principal: Principal): boolean {
  if (principal.kind === "token") return principal.scopes.includes("owner");
  return principal.kind === "super_admin";
}

/** @throws AppError `forbidden` for everybody but the team's owners and super admins */
export function requireOwner(principal: Principal): void {
  if (isOwner(principal)) return;
  throw new AppError("forbidden", {
    message: "Only an owner of the team or a super admin may do this, and an API key is neither.",
  });
}

/** @throws AppError `forbidden` for everybody but super admins */
export function requireSuperAdmin(principal: Principal): void {
  if (principal.kind === "super_admin") return;
  throw new AppError("forbidden", {
    message: "Only a super admin may do this. Use a key from SUPER_ADMIN_API_KEYS.",
  });
}

function inNoTeam(): AppError {
  return new AppError("forbidden", {
    message: "You are in no team here. Ask an admin of the team for an invitation.",
  });
}

/** Who did it, for a record of what was done: `key:…`, `member:…`, `token:<issuer> <subject>` or a kind. */
export function actorName(principal: Principal): string {
  if (principal.kind === "key") return `key:${principal.keyId}`;
  if (principal.kind === "job") return `job:${principal.jobId}`;
  if (principal.kind !== "token" && principal.kind !== "person") return principal.kind;
  const { issuer, subject } = principal;
  const member = principal.kind === "token" ? principal.member : null;
  return member === null ? `token:${issuer} ${subject}` : `member:${member.id}`;
}

/** Whether the principal may use the model of this name. */
export function mayUseModel(principal: Principal, model: string): boolean {
  if (principal.kind === "person") return false;
  if (principal.kind !== "key" && principal.kind !== "token" && principal.kind !== "job")
    return true;
  return principal.models.includes("*") || principal.models.includes(model);
}

/**
 * The end user whose sessions are all that the principal sees; null for those who see the team's. Whoever shares a
 * team with others, by an app's token or by Telegram, does not read their conversations.
 */
export function seesSessionsOf(principal: Principal): string | null {
  if (principal.kind === "telegram") return principal.endUser;
  if (principal.kind === "job")
    return principal.scopes.includes("admin") ? null : principal.endUser;
  if (principal.kind !== "token" || principal.scopes.includes("admin")) return null;
  return principal.endUser;
}

/** The end user whose usage is all that the principal sees; null for those who see the team's, as its members do. */
export function seesUsageOf(principal: Principal): string | null {
  return principal.kind === "token" && principal.member !== null ? null : seesSessionsOf(principal);
}

/** Whether the principal is one of the users of a team's app: nothing of the team itself is their business. */
export function isAppUser(principal: Principal): boolean {
  return principal.kind === "token" && seesUsageOf(principal) !== null;
}

/**
 * The team whose things a list or an object route may touch; `null` means every team, and only super admins
 * who named none get it.
 * @throws AppError `forbidden` for people who are in no team
 */
export function teamScope(principal: Principal): string | null {
  if (principal.kind === "person") throw inNoTeam();
  return principal.teamId;
}

/**
 * The one team that an operation needs, such as a chat that has to be charged to somebody.
 * @throws AppError `invalid_request` when a super admin has not named one, `forbidden` for people who are in none
 */
export function requireTeam(principal: Principal): string {
  if (principal.teamId !== null) return principal.teamId;
  if (principal.kind === "person") throw inNoTeam();
  throw new AppError("invalid_request", {
    message: "Say for which team: send the team's id in the header x-team-id.",
    param: "x-team-id",
  });
}
