import { commonPermissions, permissionsOfRole, type Role } from "../kernel/permissions.ts";
import { DEFAULT_SCOPES, type Scope } from "../kernel/scopes.ts";

/** What guests may not: a job works on for its team long after they have left. */
const NOT_FOR_GUESTS: readonly Scope[] = ["jobs"];

/**
 * What may be asked for from a chat. A link that came with a membership allows what its role does; one that a code of
 * the team has made trusts whoever is in the chat as a member. No chat administers a team.
 */
export function chatScopes(who: { guest: true } | { guest: false; role: Role | null }): Scope[] {
  if (who.guest) return DEFAULT_SCOPES.filter((scope) => !NOT_FOR_GUESTS.includes(scope));
  if (who.role === null) return [...DEFAULT_SCOPES];
  const allowed = commonPermissions(DEFAULT_SCOPES, permissionsOfRole(who.role));
  return DEFAULT_SCOPES.filter((scope) => allowed.includes(scope));
}
