import { eq } from "drizzle-orm";
import { teams } from "#schema";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { noSuchTeam, reachTeam } from "../teams/reach-team.ts";
import { storedRules } from "./load-guard-rails.ts";
import type { GuardRail } from "./rules.ts";

/**
 * The guard rails of a team, in the order in which they were set.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function listGuardRails(
  context: Context,
  input: { teamId: string },
): Promise<GuardRail[]> {
  const teamId = reachTeam(context.principal, input.teamId);
  requireScope(context.principal, "admin");
  const [row] = await context.db
    .select({ rules: teams.guardRails })
    .from(teams)
    .where(eq(teams.id, teamId));
  if (!row) throw noSuchTeam();
  return storedRules(row.rules);
}
