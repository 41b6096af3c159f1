import { eq } from "drizzle-orm";
import { z } from "zod";
import { teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { line } from "../kernel/text.ts";
import { readLimits } from "../limits/read-limits.ts";
import { noSuchTeam, reachTeam } from "./reach-team.ts";
import type { Team } from "./team.ts";

export const updateTeamInput = z.strictObject({ name: line(200).optional() });

/**
 * Changes a team.
 * @throws AppError `not_found`, `missing_scope` without the scope `admin`
 */
export async function updateTeam(
  context: Context,
  input: z.infer<typeof updateTeamInput> & { teamId: string },
): Promise<Team> {
  requireScope(context.principal, "admin");
  const teamId = reachTeam(context.principal, input.teamId);
  const row = await context.transaction(async (inner) => {
    const own = eq(teams.id, teamId);
    const [before] = await inner.db.select().from(teams).where(own).for("no key update");
    const [after] = await inner.db
      .update(teams)
      .set({ name: input.name, updatedAt: context.now() })
      .where(own)
      .returning();
    if (!before || !after) throw noSuchTeam();
    await audit(inner, { action: "team.update", teamId, targetId: teamId, before, after });
    return after;
  });
  context.log.info("team_changed", { team_id: teamId });
  const { epoch: _, ...team } = row;
  return { ...team, limits: await readLimits(context.db, { teamId, keyId: null }) };
}
