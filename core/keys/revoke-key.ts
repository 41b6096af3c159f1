import { eq } from "drizzle-orm";
import { apiKeys } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { noSuchKey, readManagedKey } from "./key.ts";

/**
 * Ends a key for good, with both of its secrets, everywhere within a second. Its record stays; revoking it again does nothing.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function revokeKey(context: Context, input: { keyId: string }): Promise<void> {
  const { teamId } = await readManagedKey(context, input.keyId);
  await changeTeam(context, teamId, async (inner) => {
    const before = await readManagedKey(inner, input.keyId, { lock: true });
    if (before.revokedAt !== null) return;
    const now = context.now();
    const [after] = await inner.db
      .update(apiKeys)
      .set({ revokedAt: now, updatedAt: now })
      .where(eq(apiKeys.id, before.id))
      .returning();
    if (!after) throw noSuchKey();
    await audit(inner, { action: "key.revoke", teamId, targetId: before.id, before, after });
  });
  context.log.info("key_revoked", { team_id: teamId, revoked_key_id: input.keyId });
}
