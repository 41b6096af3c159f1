import type { members } from "#schema";
import { DEFAULT_SCOPES, type Scope, SCOPES } from "./scopes.ts";

/** What a person is in a team. */
export type Role = (typeof members.$inferSelect)["role"];

/** What may be asked of a principal: a scope, or `owner`, which no key has: to delete the team and say who owns it. */
export type Permission = Scope | "owner";

const OF_ROLE: Readonly<Record<Role, readonly Permission[]>> = {
  owner: [...SCOPES, "owner"],
  admin: SCOPES,
  member: DEFAULT_SCOPES,
  viewer: ["usage:read"],
};

/** What a role may do in its team. */
export function permissionsOfRole(role: Role): readonly Permission[] {
  return OF_ROLE[role];
}

/** What both allow; `admin` stands for every scope. */
export function commonPermissions(
  some: readonly Permission[],
  others: readonly Permission[],
): Permission[] {
  const allowed: readonly Permission[] = others.includes("admin") ? [...SCOPES, ...others] : others;
  const asked: readonly Permission[] = some.includes("admin") ? [...SCOPES, ...some] : some;
  return [...new Set(asked.filter((permission) => allowed.includes(permission)))];
}
