import type { teams } from "#schema";
import { AppError } from "../kernel/errors.ts";
import { allowsCaller, compileIpRules, type IpRules } from "./ip-rules.ts";

/** The gateway's own limit of a JSON body, in bytes. Uploads have routes and limits of their own. */
export const JSON_BODY_LIMIT = 10 * 1024 * 1024;

/** What else a request has to keep to, beyond having a good key. Part of cached records: plain values only. */
export interface AccessRules {
  keyIps: IpRules | null;
  teamIps: IpRules | null;
  /** Origins of web pages that may call for the team, beside ALLOWED_ORIGINS. */
  origins: string[];
  /** The largest JSON body in bytes; null is the gateway's own limit. */
  maxBodyBytes: number | null;
}

type TeamColumns = Pick<
  typeof teams.$inferSelect,
  "ipAllow" | "ipDeny" | "allowedOrigins" | "maxBodyBytes"
>;

/** What the columns of a team, and of a key where there is one, ask of a request; null where they ask nothing. */
export function accessRulesOf(
  team: TeamColumns,
  key: { ipAllow: string[]; ipDeny: string[] } | null,
): AccessRules | null {
  const rules: AccessRules = {
    keyIps: key === null ? null : compileIpRules(key.ipAllow, key.ipDeny),
    teamIps: compileIpRules(team.ipAllow, team.ipDeny),
    origins: team.allowedOrigins,
    maxBodyBytes: team.maxBodyBytes,
  };
  const nothing =
    rules.keyIps === null &&
    rules.teamIps === null &&
    rules.origins.length === 0 &&
    rules.maxBodyBytes === null;
  return nothing ? null : rules;
}

/**
 * @param address whence the request came; null where that is not known, which no list lets in
 * @throws AppError `ip_not_allowed`
 */
export function checkAddress({ keyIps, teamIps }: AccessRules, address: string | null): void {
  const refusedBy =
    teamIps !== null && !allowsCaller(teamIps, address)
      ? "this team"
      : keyIps !== null && !allowsCaller(keyIps, address)
        ? "this API key"
        : null;
  if (refusedBy === null) return;
  throw new AppError("ip_not_allowed", {
    message: `Requests from ${address ?? "an unknown address"} are not allowed for ${refusedBy}. An admin of the team can change its ip_rules.`,
  });
}
