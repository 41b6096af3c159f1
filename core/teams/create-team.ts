import { z } from "zod";
import { teams } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
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
  const [row] = await context.db
    .insert(teams)
    .values({ id: newId("team", now.getTime()), name: input.name, createdAt: now, updatedAt: now })
    .returning();
  if (!row)
    throw new AppError("internal_error", { message: "The team was not stored. Try again." });
  const { epoch: _, ...team } = row;
  return team;
}
