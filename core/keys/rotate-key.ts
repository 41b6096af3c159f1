import { eq } from "drizzle-orm";
import { z } from "zod";
import { apiKeys } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { toLimitRule } from "../limits/limit.ts";
import { readLimits } from "../limits/read-limits.ts";
import { requireNoLooser } from "../limits/require-no-looser.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { generateApiKey, hashApiKey, shownPrefix } from "./api-key.ts";
import {
  type IssuedKey,
  noSuchKey,
  readManagedKey,
  refuseRevoked,
  requireMayGrant,
  toApiKey,
} from "./key.ts";

/** 30 days, in seconds. */
const GRACE_LIMIT = 2_592_000;

export const rotateKeyInput = z.strictObject({
  grace_seconds: z
    .number()
    .int()
    .min(0)
    .max(GRACE_LIMIT)
    .default(3_600)
    .describe("For how long the old secret works beside the new one; 0 ends it at once"),
});

/**
 * Gives a key a new secret. The old one works until its grace ends; the one before that, should a grace of an earlier
 * rotation still run, ends now: a key never has more than two secrets.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`, `forbidden` when the key may do what the
 * principal may not, since its secret would hand that over, `conflict` when the key was revoked or has expired
 */
export async function rotateKey(
  context: Context,
  input: z.infer<typeof rotateKeyInput> & { keyId: string },
): Promise<IssuedKey> {
  const { teamId } = await readManagedKey(context, input.keyId);
  const secret = generateApiKey();
  const hash = await hashApiKey(secret);
  const key = await changeTeam(context, teamId, async (inner) => {
    const old = await readManagedKey(inner, input.keyId, { lock: true });
    refuseRevoked(old);
    const limits = await readLimits(inner.db, { teamId, keyId: old.id });
    requireMayGrant(context.principal, toApiKey(old, limits));
    await requireNoLooser(inner, limits.map(toLimitRule));
    const now = context.now();
    if (old.expiresAt !== null && old.expiresAt <= now) throw hasExpired();
    const [rotated] = await inner.db
      .update(apiKeys)
      .set({
        hash,
        prefix: shownPrefix(secret),
        previousHash: old.hash,
        previousExpiresAt: new Date(now.getTime() + input.grace_seconds * 1000),
        updatedAt: now,
      })
      .where(eq(apiKeys.id, old.id))
      .returning();
    if (!rotated) throw noSuchKey();
    const change = { before: old, after: rotated };
    await audit(inner, { action: "key.rotate", teamId, targetId: old.id, ...change });
    return toApiKey(rotated, limits);
  });
  const { grace_seconds } = input;
  context.log.info("key_rotated", { team_id: teamId, rotated_key_id: key.id, grace_seconds });
  return { key, secret };
}

function hasExpired(): AppError {
  return new AppError("conflict", {
    message: "This key has expired, and so would its new secret. Change expires_at first.",
  });
}
