import { isId } from "../kernel/ids.ts";
import type { Permission } from "../kernel/permissions.ts";
import { isPlainText } from "../kernel/text.ts";
import type { IssuerRule } from "./oidc-issuer.ts";
import { invalidToken } from "./token-faults.ts";

/** The claims of a token, as JSON gave them. */
export type Claims = Readonly<Record<string, unknown>>;

const END_USER_LIMIT = 200;
const EMAIL_LIMIT = 254;
const NAME_LIMIT = 200;

/** The value at the end of the path; undefined where there is none. */
function claimAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Record<string, unknown>)[name]; // an object that has it
  }
  return value;
}

/** A claim's values: of a list each, of a text its words, as `scope` (RFC 8693) and Entra's `scp` are written. */
function valuesAt(claims: Claims, path: readonly string[]): string[] {
  const value = claimAt(claims, path);
  if (typeof value === "string") return value.split(" ").filter((word) => word !== "");
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Teams for which the claims speak: null where memberships say it, else the first one first. */
export function teamsOf(claims: Claims, { team }: IssuerRule): string[] | null {
  if (team.from === "membership") return null;
  if (team.from === "team") return [team.id];
  const { map, teams } = team;
  const named = valuesAt(claims, team.claim);
  if (map) return named.flatMap((value) => (Object.hasOwn(map, value) ? (map[value] ?? []) : []));
  return named.filter((value) => isId("team", value) && (teams === "*" || teams?.includes(value)));
}

/** What the claims allow; null where the rule leaves it to the member's role. */
export function permissionsOf(claims: Claims, { scopes }: IssuerRule): Permission[] | null {
  if (scopes === undefined) return null;
  if (Array.isArray(scopes)) return scopes;
  const { map } = scopes;
  const allowed = valuesAt(claims, scopes.claim).flatMap((value) =>
    Object.hasOwn(map, value) ? (map[value] ?? []) : [],
  );
  return [...new Set(allowed)];
}

/**
 * The end user that a token stands for.
 * @throws AppError `invalid_token` where the claim is missing: without it the bearer would see what others said
 */
export function endUserOf(claims: Claims, { end_user: rule }: IssuerRule): string | null {
  if (rule === null) return null;
  const value = claimAt(claims, rule.claim);
  const name = typeof value === "string" && value !== "" ? rule.prefix + value : "";
  if (name !== "" && name.length <= END_USER_LIMIT && isPlainText(name)) return name;
  throw invalidToken(`its claim ${rule.claim.join(".")}, the end user, is missing or unfit`);
}

/** The e-mail that the issuer has verified, in lower case; null where there is none. */
export function verifiedEmailOf(claims: Claims): string | null {
  const { email, email_verified: verified } = claims;
  if (typeof email !== "string" || (verified !== true && verified !== "true")) return null;
  const address = email.trim().toLowerCase();
  return address !== "" && address.length <= EMAIL_LIMIT && isPlainText(address) ? address : null;
}

/** What the issuer calls the person; null where it says nothing that can be shown. */
export function nameOf({ name }: Claims): string | null {
  if (typeof name !== "string" || !isPlainText(name)) return null;
  return name.trim().slice(0, NAME_LIMIT).toWellFormed() || null;
}

/** The program that got the token: `azp` (OpenID Connect, Keycloak, Entra), `client_id` (RFC 9068) or `appid` (Entra v1). */
export function clientOf(claims: Claims): string | null {
  const client = claims["azp"] ?? claims["client_id"] ?? claims["appid"];
  return typeof client === "string" ? client : null;
}
