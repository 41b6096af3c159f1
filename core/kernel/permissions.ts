import type { members } from "#schema";
import { DEFAULT_SCOPES, type Scope, SCOPES } from "./scopes.ts";

/** What a person is in a team. */
export type Role = (typeof members.$inferSelect)["role"];

/** What may be asked of a principal: a scope, or `owner`, which no key has: to delete the team and say who owns it. */
export type Permission = Scope | "owner";

/** What each role may do in its team. The one place that says so; verbs ask by `requireScope` and `requireOwner`. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  owner: [...SCOPES, "owner"],
  admin: SCOPES,
  member: DEFAULT_SCOPES,
  viewer: ["usage:read"],
};
