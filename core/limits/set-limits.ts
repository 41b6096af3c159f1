import type { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import { readManagedKey } from "../keys/key.ts";
import { lockTeam, reachTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import type { LimitRow } from "./limit.ts";
import type { putLimitsInput } from "./limit-input.ts";
import { replaceLimits } from "./replace-limits.ts";
import { requireNoLooser } from "./require-no-looser.ts";

type Limits = z.infer<typeof putLimitsInput>;

/**
 * Sets all limits of a team, which hold everywhere within a second. Super admins only: they are what the operator
 * grants the team. What was used of a limit that stays is kept.
 * @throws AppError `forbidden`, `not_found`, `validation_failed`
 */
export async function setTeamLimits(
  context: Context,
  input: Limits & { teamId: string },
): Promise<LimitRow[]> {
  requireSuperAdmin(context.principal);
  const teamId = reachTeam(context.principal, input.teamId);
  return changeTeam(context, teamId, async (inner) => {
    await lockTeam(inner.db, teamId);
    return replaceLimits(inner, { teamId, keyId: null }, input.limits);
  });
}

/**
 * Sets all limits of a key, which hold everywhere within a second. What was used of a limit that stays is kept.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`, `validation_failed`, `forbidden` when the
 * principal's own limits are tighter
 */
export async function setKeyLimits(
  context: Context,
  input: Limits & { keyId: string },
): Promise<LimitRow[]> {
  const { teamId } = await readManagedKey(context, input.keyId);
  return changeTeam(context, teamId, async (inner) => {
    await readManagedKey(inner, input.keyId, { lock: true });
    await requireNoLooser(inner, input.limits);
    return replaceLimits(inner, { teamId, keyId: input.keyId }, input.limits);
  });
}
