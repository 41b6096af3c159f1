import { eq } from "drizzle-orm";
import { teams } from "#schema";
import type { Context } from "../kernel/context.ts";
import { isAppUser } from "../kernel/principal.ts";
import { readLimits } from "../limits/read-limits.ts";
import { noSuchTeam, reachTeam } from "./reach-team.ts";
import type { Team } from "./team.ts";

/**
 * Reads a team; everybody may read their own, but for the users of its app.
 * @throws AppError `not_found`
 */
export async function getTeam(context: Context, input: { teamId: string }): Promise<Team> {
  const teamId = reachTeam(context.principal, input.teamId);
  if (isAppUser(context.principal)) throw noSuchTeam();
  const [row] = await context.db.select().from(teams).where(eq(teams.id, teamId));
  if (!row) throw noSuchTeam();
  const { epoch: _, ...team } = row;
  return { ...team, limits: await readLimits(context.db, { teamId, keyId: null }) };
}
