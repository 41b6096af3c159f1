import { eq } from "drizzle-orm";
import { teams } from "#schema";
import type { Database } from "../kernel/context.ts";

/** Names of the skills that a team has switched off. They change under the team's epoch (`changeTeam`). */
export async function loadSkillsOff(db: Database, teamId: string): Promise<string[]> {
  const [row] = await db
    .select({ skillsOff: teams.skillsOff })
    .from(teams)
    .where(eq(teams.id, teamId));
  return row?.skillsOff ?? [];
}
