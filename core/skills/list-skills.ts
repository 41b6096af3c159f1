import type { Context } from "../kernel/context.ts";
import { requireScope, teamScope } from "../kernel/principal.ts";
import type { Skill } from "./skill.ts";
import type { SkillHost } from "./skill-host.ts";
import { SKILLS } from "./skills.ts";

/** A skill, and whether the team has it switched on. */
export interface ListedSkill {
  skill: Skill;
  enabled: boolean;
}

/**
 * All skills, in the order of their list. For a super admin who names no team, all are on.
 * @throws AppError `missing_scope`, `unavailable`
 */
export async function listSkills(
  context: Context,
  host: Pick<SkillHost, "skillsOff">,
): Promise<ListedSkill[]> {
  requireScope(context.principal, "skills");
  const teamId = teamScope(context.principal);
  const off = teamId === null ? [] : await host.skillsOff(teamId);
  return SKILLS.map((skill) => ({ skill, enabled: !off.includes(skill.name) }));
}
