import { eq } from "drizzle-orm";
import { teams } from "#schema";
import type { Database } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";
import { type Principal, teamScope } from "../kernel/principal.ts";

/** The one answer for a team that is not there and for one that is none of the principal's business. */
export function noSuchTeam(): AppError {
  return new AppError("not_found", {
    message: "There is no such team. GET /v1/teams lists those that you can see.",
  });
}

/**
 * Checks that the principal may reach the team that a request names.
 * @returns the id, which is now known to be one
 * @throws AppError `not_found` for every other team, whether it exists or not
 */
export function reachTeam(principal: Principal, teamId: string): string {
  const own = teamScope(principal);
  if (!isId("team", teamId) || (own !== null && own !== teamId)) throw noSuchTeam();
  return teamId;
}

/**
 * Makes sure that the team is there, and within a transaction that it stays until the end of it.
 * @throws AppError `not_found`
 */
export async function holdTeam(db: Database, teamId: string): Promise<void> {
  const [team] = await db
    .select({ id: teams.id })
    .from(teams)
    .where(eq(teams.id, teamId))
    .for("key share");
  if (!team) throw noSuchTeam();
}

/**
 * Makes other changes of the team's own things wait until the end of the transaction.
 * @throws AppError `not_found`
 */
export async function lockTeam(db: Database, teamId: string): Promise<void> {
  const [team] = await db
    .select({ id: teams.id })
    .from(teams)
    .where(eq(teams.id, teamId))
    .for("no key update");
  if (!team) throw noSuchTeam();
}
