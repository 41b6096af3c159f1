import { eq, or } from "drizzle-orm";
import { apiKeys, teams } from "#schema";
import { type AccessRules, accessRulesOf } from "../access/access-rules.ts";
import type { Database } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import type { Principal } from "../kernel/principal.ts";
import type { Scope } from "../kernel/scopes.ts";

/** What a request needs to know of its key. It is cached, so it holds no secret and only plain values. */
export interface KeyRecord {
  keyId: string;
  teamId: string;
  scopes: Scope[];
  models: string[];
  enabled: boolean;
  revoked: boolean;
  /** Milliseconds since 1970; a key that was rotated away ends with its grace period. */
  expiresAt: number | null;
  /** For how long answers are kept, in seconds; null keeps none. Records of an earlier release lack it. */
  cacheSeconds?: number | null;
  /** What the key and its team ask of a request; null where that is nothing. */
  access: AccessRules | null;
  /** The team's epoch when this was read: under a later epoch it has to be read again. */
  epoch: number;
}

/**
 * Reads a key and its team's epoch in one statement, so that the two belong together. The secret before the last
 * rotation is found even after its grace, so that whoever still sends it learns that it expired.
 */
export async function loadKeyRecord(db: Database, hash: string): Promise<KeyRecord | null> {
  const [row] = await db
    .select({ key: apiKeys, team: teams })
    .from(apiKeys)
    .innerJoin(teams, eq(teams.id, apiKeys.teamId))
    .where(or(eq(apiKeys.hash, hash), eq(apiKeys.previousHash, hash)))
    .limit(1);
  return row ? toKeyRecord(row.key, hash, row.team) : null;
}

/**
 * What a request needs to know of the rows of a key and its team.
 * @param hash of the secret that was presented: the current one, or the one before the last rotation
 */
export function toKeyRecord(
  key: typeof apiKeys.$inferSelect,
  hash: string,
  team: typeof teams.$inferSelect,
): KeyRecord {
  const ends = [key.expiresAt, key.previousHash === hash ? key.previousExpiresAt : null].filter(
    (end) => end !== null,
  );
  return {
    keyId: key.id,
    teamId: key.teamId,
    scopes: key.scopes as Scope[], // written by createKey and updateKey only, which check them
    models: key.models,
    enabled: key.enabled,
    revoked: key.revokedAt !== null,
    expiresAt: ends.length > 0 ? Math.min(...ends.map((end) => end.getTime())) : null,
    cacheSeconds: key.cacheSeconds,
    access: accessRulesOf(team, key),
    epoch: team.epoch,
  };
}

/**
 * Whoever holds the key of this record.
 * @throws AppError `revoked_api_key`, `expired_api_key` or `disabled_api_key`
 */
export function principalOf(record: KeyRecord, now: number): Principal {
  if (record.revoked)
    throw new AppError("revoked_api_key", {
      message: "This API key was revoked. Use another one.",
    });
  if (record.expiresAt !== null && record.expiresAt <= now) {
    throw new AppError("expired_api_key", {
      message: `This API key expired at ${new Date(record.expiresAt).toISOString()}. Use a new one.`,
    });
  }
  if (!record.enabled)
    throw new AppError("disabled_api_key", {
      message: "This API key is switched off. An admin of the team can switch it on.",
    });
  return {
    kind: "key",
    teamId: record.teamId,
    keyId: record.keyId,
    scopes: record.scopes,
    models: record.models,
    cacheSeconds: record.cacheSeconds ?? null,
  };
}
