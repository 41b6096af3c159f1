import type { members } from "#schema";
import type { Scope } from "./scopes.ts";

/** What a person is in a team. */
export type Role = (typeof members.$inferSelect)["role"];

/** What may be asked of a principal: a scope, or `owner`, which no key has: to delete the team and say who owns it. */
export type Permission = Scope | "owner";
