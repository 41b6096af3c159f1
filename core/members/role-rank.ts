import type { Role } from "../kernel/permissions.ts";
import { isOwner, type Principal } from "../kernel/principal.ts";
import { ROLES } from "#schema";

/** Whether who has the one role may do at least what the other one may. */
export function isAtLeast(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(other); // the one who may do most comes first
}

/** The higher of two roles. */
export function higherRole(one: Role, other: Role): Role {
  return isAtLeast(one, other) ? one : other;
}

/** The highest role that a principal with the scope `admin` may give: owners make owners, keys and admins do not. */
export function highestGivenRole(principal: Principal): Role {
  return isOwner(principal) ? "owner" : "admin";
}
