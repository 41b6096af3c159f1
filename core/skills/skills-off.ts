import { hasScope, type Principal } from "../kernel/principal.ts";
import type { Scope } from "../kernel/scopes.ts";
import type { Skill } from "./skill.ts";
import type { SkillHost } from "./skill-host.ts";
import { skillSwitchedOff } from "./skill-switched-off.ts";

/** @throws AppError `skill_switched_off` */
export async function requireSkillOn(
  host: Pick<SkillHost, "skillsOff">,
  teamId: string,
  skill: Skill,
): Promise<void> {
  const off = await host.skillsOff(teamId);
  if (off.includes(skill.name)) throw skillSwitchedOff(skill.name);
}

/** What a caller needs to use the skill. */
export const scopesOf = (skill: Skill): Scope[] => [
  "skills",
  ...(skill.scope ? [skill.scope] : []),
  ...("job" in skill ? (["jobs"] as const) : []),
];

/** Whether the principal has every scope that the skill asks for. */
export const mayUse = (principal: Principal, skill: Skill) =>
  scopesOf(skill).every((scope) => hasScope(principal, scope));
