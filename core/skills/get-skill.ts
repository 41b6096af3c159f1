import type { Context } from "../kernel/context.ts";
import { findSkill } from "./find-skill.ts";
import { type ListedSkill, listSkills } from "./list-skills.ts";
import type { SkillHost } from "./skill-host.ts";

/**
 * One skill, and whether the team has it switched on.
 * @throws AppError `missing_scope`, `not_found`, `unavailable`
 */
export async function getSkill(
  context: Context,
  host: Pick<SkillHost, "skillsOff">,
  input: { name: string },
): Promise<ListedSkill> {
  const listed = await listSkills(context, host);
  const skill = findSkill(input.name);
  return { skill, enabled: listed.some((one) => one.skill === skill && one.enabled) };
}
