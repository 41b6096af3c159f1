import { eq } from "drizzle-orm";
import { apiKeys } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { readManagedKey } from "./key.ts";

/**
 * Erases a key; it works nowhere within a second. What it used stays in the usage records.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function deleteKey(context: Context, input: { keyId: string }): Promise<void> {
  const { teamId } = await readManagedKey(context, input.keyId);
  await changeTeam(context, teamId, async (inner) => {
    const before = await readManagedKey(inner, input.keyId, { lock: true });
    await inner.db.delete(apiKeys).where(eq(apiKeys.id, before.id));
    await audit(inner, { action: "key.delete", teamId, targetId: before.id, before });
  });
  context.log.info("key_deleted", { team_id: teamId, deleted_key_id: input.keyId });
}
