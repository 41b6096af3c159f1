import { z } from "zod";
import { isId } from "../kernel/ids.ts";
import type { Permission } from "../kernel/permissions.ts";
import { addressFault } from "../kernel/public-address.ts";
import { TELEGRAM_ISSUER } from "../members/person.ts";
import { SCOPES } from "../kernel/scopes.ts";
import { line } from "../kernel/text.ts";

/** How tokens may be signed: by a private key that only the issuer has. `none` and HMAC cannot be named. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const RULES_LIMIT = 50;
const PERMISSIONS: readonly Permission[] = [...SCOPES, "owner"];

const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(200);
const teamId = z.string().refine((text) => isId("team", text), "must be the id of a team");
const permission = z.enum(PERMISSIONS);

/** Where a claim stands: its name, or the names on the way to it, as in ["realm_access", "roles"]. */
const claimPath = z
  .union([line(200), z.array(line(200)).min(1).max(5)])
  .transform((name) => (typeof name === "string" ? [name] : name));

/** For which team a token's bearer acts. */
const teamRule = z.discriminatedUnion("from", [
  z.strictObject({ from: z.literal("team"), id: teamId }),
  z.strictObject({
    from: z.literal("membership"),
    /** Teams that the issuer's people can be members of; all where it is left out. */
    teams: listOf(teamId).optional(),
    /** Whether a verified e-mail finds a member who has no identity of their own yet. */
    by_verified_email: z.boolean().default(false),
  }),
  z
    .strictObject({
      from: z.literal("claim"),
      claim: claimPath,
      /** From the claim's values to teams. */
      map: z.record(z.string(), teamId).optional(),
      /** Which teams the issuer may name by their id. */
      teams: z.union([listOf(teamId), z.literal("*")]).optional(),
    })
    .refine(
      ({ map, teams }) => (map === undefined) !== (teams === undefined),
      'needs either "map" or "teams", so that it is clear which teams this issuer speaks for',
    ),
]);

const scopesRule = z.union([
  z.array(permission).max(PERMISSIONS.length),
  z.strictObject({
    claim: claimPath,
    /** From the claim's values to what they allow; other values allow nothing. */
    map: z.record(z.string(), z.array(permission)),
  }),
]);

const endUserRule = z.union([
  claimPath.transform((claim) => ({ claim, prefix: "" })),
  z.strictObject({ claim: claimPath, prefix: line(50).default("") }),
]);

const issuerRule = z
  .strictObject({
    /** Exactly as it stands in the tokens' `iss`. */
    issuer: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .refine((issuer) => issuer !== TELEGRAM_ISSUER, "stands for Telegram here"),
    audience: z.union([line(500).transform((one) => [one]), listOf(line(500))]),
    /** The rule is for tokens of these clients only, by `azp`, `client_id` or `appid`. */
    clients: listOf(line(200)).optional(),
    algorithms: listOf(z.enum(ALGORITHMS)).default(["RS256", "PS256", "ES256"]),
    token_types: listOf(line(50)).default(["JWT", "at+jwt"]),
    team: teamRule,
    scopes: scopesRule.optional(),
    models: listOf(line(200)).default(["*"]),
    end_user: endUserRule.nullable().default({ claim: ["sub"], prefix: "" }),
    clock_tolerance_seconds: z.number().min(0).max(60).default(30),
  })
  .refine(({ team, scopes }) => team.from === "membership" || scopes !== undefined, {
    path: ["scopes"],
    message: "is needed where the team does not come from a membership, which has a role",
  });

/** What a rule of OIDC_ISSUERS says about the tokens that it is for. */
export type IssuerRule = z.output<typeof issuerRule>;

/** The setting OIDC_ISSUERS: a JSON list of rules. Several may be for one issuer; a token's is the first that fits. */
export const issuerRules = z
  .string()
  .default("")
  .transform((text, check): IssuerRule[] => {
    if (text.trim() === "") return [];
    const parsed = z.array(issuerRule).max(RULES_LIMIT).safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues)
      check.addIssue({
        code: "custom",
        message: `${issue.path.join(".")} ${issue.message}`.trim(),
      });
    return z.NEVER;
  });

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return "no JSON"; // which is no list, and is said so
  }
}

/**
 * What is wrong with the address of an issuer or of its keys: tokens are only as good as the way that their keys came.
 * @param allowPrivate development only: any address, and http
 * @returns a sentence, or null
 */
export function issuerAddressFault(address: string, allowPrivate: boolean): string | null {
  const fault = addressFault(address, { allowPrivate });
  if (fault) return fault.message;
  return allowPrivate || new URL(address).protocol === "https:" ? null : "must begin with https://";
}
