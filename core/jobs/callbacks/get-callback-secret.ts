import type { Context } from "../../kernel/context.ts";
import { requireScope, requireTeam } from "../../kernel/principal.ts";
import { type CallbackSecret, readSecrets } from "./callback-secret.ts";

/**
 * Which secrets sign the team's callbacks, the one that holds first. What they are was shown when they were made.
 * @throws AppError `missing_scope` without the scope `admin`
 */
export async function getCallbackSecrets(context: Context): Promise<CallbackSecret[]> {
  requireScope(context.principal, "admin");
  const rows = await readSecrets(context, requireTeam(context.principal));
  return rows.map(({ id, endsAt, createdBy, createdAt }) => ({ id, endsAt, createdBy, createdAt }));
}
