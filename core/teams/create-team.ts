import { z } from "zod";
import { teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import { requireSuperAdmin } from "../kernel/principal.ts";
import { line } from "../kernel/text.ts";
import { limitList } from "../limits/limit-input.ts";
import { replaceLimits } from "../limits/replace-limits.ts";
import type { Team } from "./team.ts";

export const createTeamInput = z.strictObject({
  name: line(200),
  limits: limitList.default([]).describe("What the team may use; by default as much as it likes"),
});

/**
 * Makes a team. Super admins only.
 * @throws AppError `forbidden`, `validation_failed`
 */
export async function createTeam(
  context: Context,
  input: z.infer<typeof createTeamInput>,
): Promise<Team> {
  requireSuperAdmin(context.principal);
  const now = context.now();
  const row = await context.transaction(async (inner) => {
    const teamId = newId("team", now.getTime());
    const [after] = await inner.db
      .insert(teams)
      .values({ id: teamId, name: input.name, createdAt: now, updatedAt: now })
      .returning();
    if (!after)
      throw new AppError("internal_error", { message: "The team was not stored. Try again." });
    await audit(inner, { action: "team.create", teamId, targetId: teamId, after });
    const limits = await replaceLimits(inner, { teamId, keyId: null }, input.limits);
    return { ...after, limits };
  });
  const { epoch: _, ...team } = row;
  return team;
}
