import { eq } from "drizzle-orm";
import { z } from "zod";
import { teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { Context } from "../kernel/context.ts";
import { requireScope, requireTeam } from "../kernel/principal.ts";
import { noSuchTeam } from "../teams/reach-team.ts";
import { changeTeam } from "../teams/team-epoch.ts";
import { findSkill } from "./find-skill.ts";
import type { ListedSkill } from "./list-skills.ts";

export const setSkillInput = z.strictObject({
  enabled: z.boolean().describe("Whether the team's keys, people and chats may use it"),
});

/**
 * Switches a skill on or off for a team, everywhere within a second. The choice stays while a skill is not shipped.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`, `invalid_request` where a super admin names
 * no team
 */
export async function setSkill(
  context: Context,
  input: z.infer<typeof setSkillInput> & { name: string },
): Promise<ListedSkill> {
  requireScope(context.principal, "admin");
  const teamId = requireTeam(context.principal);
  const skill = findSkill(input.name);
  const { enabled } = input;
  await changeTeam(context, teamId, async (inner) => {
    const own = eq(teams.id, teamId);
    const [team] = await inner.db
      .select({ off: teams.skillsOff })
      .from(teams)
      .where(own)
      .for("no key update");
    if (!team) throw noSuchTeam();
    const others = team.off.filter((name) => name !== skill.name);
    const skillsOff = enabled ? others : [...others, skill.name];
    await inner.db.update(teams).set({ skillsOff, updatedAt: context.now() }).where(own);
    await audit(inner, {
      action: "skill.set",
      teamId,
      targetId: skill.name,
      before: { enabled: !team.off.includes(skill.name) },
      after: { enabled },
    });
  });
  context.log.info("skill_set", { team_id: teamId, skill: skill.name, enabled });
  return { skill, enabled };
}
