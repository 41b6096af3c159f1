import { eq } from "drizzle-orm";
import { apiKeys, deletedTeams, members, teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireOwner } from "../kernel/principal.ts";
import { noSuchTeam, reachTeam } from "./reach-team.ts";
import { EPOCH_OF_DELETED_TEAM, raiseEpoch } from "./team-epoch.ts";

/**
 * Erases a team with its keys, members, sessions' index and Telegram links. Its keys work nowhere within a second, and
 * its files go within an hour or so (`eraseTeamFiles`). Usage records stay, since they are accounts. For its owners and
 * super admins.
 * @throws AppError `forbidden`, `not_found`
 */
export async function deleteTeam(context: Context, input: { teamId: string }): Promise<void> {
  requireOwner(context.principal);
  const teamId = reachTeam(context.principal, input.teamId);
  await context.epochs.expectChange(teamId);
  await context.transaction(async (inner) => {
    // Keys and members first, then the team: the order in which changes of them lock, so that neither waits for the other.
    await inner.db
      .select({ id: apiKeys.id })
      .from(apiKeys)
      .where(eq(apiKeys.teamId, teamId))
      .for("update");
    await inner.db
      .select({ id: members.id })
      .from(members)
      .where(eq(members.teamId, teamId))
      .orderBy(members.id)
      .for("update");
    const [deleted] = await inner.db.delete(teams).where(eq(teams.id, teamId)).returning();
    if (!deleted) throw noSuchTeam();
    await inner.db.insert(deletedTeams).values({ teamId }).onConflictDoNothing();
    await audit(inner, { action: "team.delete", teamId, targetId: teamId, before: deleted });
    await inner.afterCommit(() => raiseEpoch(context, teamId, EPOCH_OF_DELETED_TEAM));
  });
  context.log.info("team_deleted", { team_id: teamId });
}
