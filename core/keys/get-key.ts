import type { Context } from "../kernel/context.ts";
import { type ApiKey, readManagedKey, toApiKey } from "./key.ts";

/**
 * Reads a key of the principal's team.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function getKey(context: Context, input: { keyId: string }): Promise<ApiKey> {
  return toApiKey(await readManagedKey(context, input.keyId));
}
