import { z } from "zod";
import { teams } from "#schema";
import type { Context } from "../kernel/context.ts";
import { newId } from "../kernel/ids.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import { line } from "../kernel/text.ts";
import type { Team } from "./team.ts";

export const createTeamInput = z.strictObject({ name: line(200) });

/**
 * Makes a team. Super admins only.
 * @throws AppError `forbidden`
 */
export async function createTeam(
  context: Context,
  input: z.infer<typeof createTeamInput>,
): Promise<Team> {
  requireSuperAdmin(context.principal);
  const now = context.now();
  const team = {
    id: newId("team", now.getTime()),
    name: input.name,
    createdAt: now,
    updatedAt: now,
  };
  await context.db.insert(teams).values(team);
  return team;
}
