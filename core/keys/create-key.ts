import { z } from "zod";
import { apiKeys } from "#schema";
import { ipRulesInput } from "../access/ip-rules.ts";
import { audit } from "../audit/audit.ts";
import type { TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { actorName, requireScope, type Principal, teamScope } from "../kernel/principal.ts";
import { DEFAULT_SCOPES } from "../kernel/scopes.ts";
import { toLimitRule } from "../limits/limit.ts";
import { limitList, type WantedLimit } from "../limits/limit-input.ts";
import { replaceLimits } from "../limits/replace-limits.ts";
import { limitsOfPrincipal, requireNoLooser } from "../limits/require-no-looser.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { generateApiKey, hashApiKey, shownPrefix } from "./api-key.ts";
import { requireFuture } from "./key-expiry.ts";
import {
  type IssuedKey,
  keyCache,
  keyExpiry,
  keyMetadata,
  keyModels,
  keyName,
  keyScopes,
  requireMayGrant,
  toApiKey,
} from "./key.ts";

export const createKeyInput = z.strictObject({
  name: keyName,
  team_id: z.string().optional().describe("Super admins only; others make keys of their own team"),
  scopes: keyScopes
    .default(DEFAULT_SCOPES)
    .describe("What the key may do; `admin` includes all the others"),
  models: keyModels
    .optional()
    .describe("Names of the models it may use; by default those of the key that makes it"),
  expires_at: keyExpiry.nullable().default(null).describe("When it stops to work; null is never"),
  metadata: keyMetadata
    .default({})
    .describe("Anything of yours, up to 4096 bytes as JSON; comes back as it is"),
  cache: keyCache
    .nullable()
    .default(null)
    .describe("For how long answers are kept for equal requests; null keeps none"),
  ip_rules: ipRulesInput.optional(),
  enabled: z.boolean().default(true).describe("A key that is switched off answers 403"),
  limits: limitList
    .optional()
    .describe("What the key may use; by default the limits of the key that makes it"),
});

/**
 * Makes an API key. Its secret is in the result and nowhere else. Runs in the caller's transaction.
 * @throws AppError `missing_scope` without the scope `admin`, `forbidden` when the principal lacks what it gives,
 * `validation_failed` when a super admin names no team or the end is past, `not_found` when there is no such team
 */
export async function createKey(
  context: TransactionContext,
  input: z.infer<typeof createKeyInput>,
): Promise<IssuedKey> {
  const { principal } = context;
  requireScope(principal, "admin");
  const teamId = teamOfNewKey(principal, input.team_id);
  const own = principal.kind === "key" || principal.kind === "token" ? principal.models : ["*"];
  const models = input.models ?? [...own];
  requireMayGrant(principal, { scopes: input.scopes, models });
  const now = context.now();
  requireFuture(input.expires_at, now);
  const limits = await limitsOfNewKey(context, input.limits);
  await holdTeam(context.db, teamId);
  const secret = generateApiKey();
  const [row] = await context.db
    .insert(apiKeys)
    .values({
      id: newId("key", now.getTime()),
      teamId,
      name: input.name,
      prefix: shownPrefix(secret),
      hash: await hashApiKey(secret),
      scopes: input.scopes,
      models,
      metadata: input.metadata,
      cacheSeconds: input.cache?.ttl_seconds ?? null,
      ipAllow: input.ip_rules?.allow ?? [],
      ipDeny: input.ip_rules?.deny ?? [],
      enabled: input.enabled,
      expiresAt: input.expires_at,
      createdBy: actorName(principal),
      createdAt: now,
      updatedAt: now,
    })
    .returning();
  if (!row) throw new AppError("internal_error", { message: "The key was not stored. Try again." });
  await audit(context, { action: "key.create", teamId, targetId: row.id, after: row });
  context.log.info("key_created", { team_id: teamId, new_key_id: row.id, scopes: row.scopes });
  const key = { teamId, keyId: row.id };
  const kept =
    limits.length === 0
      ? []
      : await changeTeam(context, teamId, (inner) => replaceLimits(inner, key, limits));
  return { key: toApiKey(row, kept), secret };
}

/** What was asked for, where the maker may give it; the maker's own limits where nothing was asked for. */
async function limitsOfNewKey(
  context: TransactionContext,
  wanted: WantedLimit[] | undefined,
): Promise<WantedLimit[]> {
  if (wanted === undefined)
    return (await limitsOfPrincipal(context)).map((row) => ({ ...toLimitRule(row), raise: null }));
  await requireNoLooser(context, wanted);
  return wanted;
}

/** The caller's team; a super admin names it, in the body or by the header for all requests. */
function teamOfNewKey(principal: Principal, named: string | undefined): string {
  const own = teamScope(principal);
  if (named === undefined) {
    if (own !== null) return own;
    throw new AppError("validation_failed", {
      message: "team_id: name the team that the key is for.",
      fields: [{ path: "team_id", message: "is required from a super admin" }],
    });
  }
  if (principal.kind !== "super_admin" && named !== own) {
    throw new AppError("forbidden", {
      message: "Only a super admin may name another team. Leave team_id out.",
    });
  }
  return reachTeam(principal, named);
}
