import type { Context } from "../kernel/context.ts";
import { readLimits } from "../limits/read-limits.ts";
import { type ApiKey, readManagedKey, toApiKey } from "./key.ts";

/**
 * Reads a key of the principal's team.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function getKey(context: Context, input: { keyId: string }): Promise<ApiKey> {
  const row = await readManagedKey(context, input.keyId);
  return toApiKey(row, await readLimits(context.db, { teamId: row.teamId, keyId: row.id }));
}
