import { and, asc, eq, gt, sql } from "drizzle-orm";
import { deletedTeams, teams } from "#schema";
import type { FileStore } from "../files/file-store.ts";
import { removeFiles } from "../files/remove-files.ts";
import type { Context } from "../kernel/context.ts";

/** By then everything has ended that was under way when the team was deleted, in milliseconds: jobs, uploads. */
const LAST_WRITES_MS = 24 * 60 * 60 * 1000;
const TEAMS_PER_CHUNK = 100;

/**
 * Removes the files of teams that were deleted: at once, and again until a day later, should something that was under
 * way have stored one meanwhile. May die anywhere and be repeated.
 * @returns of how many teams nothing is left for good, and whether more may be left
 */
export async function eraseTeamFiles(
  context: Pick<Context, "db" | "now">,
  { files, deadline }: { files: FileStore; deadline: Date },
): Promise<{ teams: number; more: boolean }> {
  const isOver = () => context.now() >= deadline;
  let erased = 0;
  let after = "";
  while (!isOver()) {
    const some = await context.db
      .select()
      .from(deletedTeams)
      .where(
        and(
          gt(deletedTeams.teamId, after),
          // A team that is there again, by a backup say, has its files.
          sql`NOT EXISTS (SELECT 1 FROM ${teams} WHERE ${teams.id} = ${deletedTeams.teamId})`,
        ),
      )
      .orderBy(asc(deletedTeams.teamId))
      .limit(TEAMS_PER_CHUNK);
    for (const { teamId, deletedAt } of some) {
      if (isOver() || !(await removeFiles(files, `${teamId}/`, isOver)))
        return { teams: erased, more: true };
      if (context.now().getTime() - deletedAt.getTime() < LAST_WRITES_MS) continue;
      await context.db.delete(deletedTeams).where(eq(deletedTeams.teamId, teamId));
      erased += 1;
    }
    if (some.length < TEAMS_PER_CHUNK) return { teams: erased, more: false };
    after = some.at(-1)?.teamId ?? after;
  }
  return { teams: erased, more: true };
}
