import { eq } from "drizzle-orm";
import { z } from "zod";
import { apiKeys } from "#schema";
import { compileIpRules, ipRulesInput, refuseLockout } from "../access/ip-rules.ts";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { readLimits } from "../limits/read-limits.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { requireFuture } from "./key-expiry.ts";
import {
  type ApiKey,
  keyCache,
  keyExpiry,
  keyMetadata,
  keyModels,
  keyName,
  keyScopes,
  noSuchKey,
  readManagedKey,
  refuseRevoked,
  requireMayGrant,
  toApiKey,
} from "./key.ts";

export const updateKeyInput = z.strictObject({
  name: keyName.optional(),
  scopes: keyScopes.optional(),
  models: keyModels.optional(),
  expires_at: keyExpiry.nullable().optional().describe("null takes the end away"),
  metadata: keyMetadata
    .nullable()
    .optional()
    .describe("Takes the place of all that was there; null empties it"),
  enabled: z.boolean().optional(),
  cache: keyCache.nullable().optional().describe("null keeps no answers any more"),
  ip_rules: ipRulesInput.optional().describe("Takes the place of the rules that were there"),
  force: z
    .boolean()
    .default(false)
    .describe("Lets ip_rules shut out the address that this request comes from"),
});

/**
 * Changes a key; what the input leaves out stays. It holds everywhere within a second.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`, `forbidden` when the principal lacks what it
 * gives, `validation_failed` when the end is past, `conflict` when the key was revoked or would shut out who changes it
 */
export async function updateKey(
  context: Context,
  input: z.infer<typeof updateKeyInput> & { keyId: string },
): Promise<ApiKey> {
  const { keyId, name, scopes, models, expires_at: expiresAt, enabled, ip_rules: ipRules } = input;
  const cacheSeconds = input.cache === null ? null : input.cache?.ttl_seconds;
  const metadata = input.metadata === null ? {} : input.metadata;
  const { teamId } = await readManagedKey(context, keyId);
  requireMayGrant(context.principal, { ...(scopes && { scopes }), ...(models && { models }) });
  requireFuture(expiresAt, context.now());
  const { principal } = context;
  if (ipRules && principal.kind === "key" && principal.keyId === keyId)
    refuseLockout(compileIpRules(ipRules.allow, ipRules.deny), context.source().ip, input.force);
  const row = await changeTeam(context, teamId, async (inner) => {
    const before = await readManagedKey(inner, keyId, { lock: true });
    refuseRevoked(before);
    const [changed] = await inner.db
      .update(apiKeys)
      .set({
        name,
        scopes,
        models,
        expiresAt,
        metadata,
        enabled,
        cacheSeconds,
        ipAllow: ipRules?.allow,
        ipDeny: ipRules?.deny,
        updatedAt: context.now(),
      })
      .where(eq(apiKeys.id, keyId))
      .returning();
    if (!changed) throw noSuchKey();
    await audit(inner, { action: "key.update", teamId, targetId: keyId, before, after: changed });
    return changed;
  });
  const changed = Object.keys(input).filter((field) => field !== "keyId" && field !== "force");
  context.log.info("key_changed", { team_id: teamId, changed_key_id: keyId, changed });
  return toApiKey(row, await readLimits(context.db, { teamId, keyId }));
}
