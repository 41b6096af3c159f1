import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { readManagedKey } from "../keys/key.ts";
import { holdTeam, reachTeam } from "../teams/reach-team.ts";
import type { LimitRow } from "./limit.ts";
import { readLimits } from "./read-limits.ts";

/**
 * The limits that are set on a team.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function listTeamLimits(
  context: Context,
  input: { teamId: string },
): Promise<LimitRow[]> {
  const teamId = reachTeam(context.principal, input.teamId);
  requireScope(context.principal, "admin");
  await holdTeam(context.db, teamId);
  return readLimits(context.db, { teamId, keyId: null });
}

/**
 * The limits that are set on a key.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function listKeyLimits(
  context: Context,
  input: { keyId: string },
): Promise<LimitRow[]> {
  const { teamId, id } = await readManagedKey(context, input.keyId);
  return readLimits(context.db, { teamId, keyId: id });
}
