import { AppError } from "../kernel/errors.ts";
import type { Skill } from "./skill.ts";
import { SKILLS } from "./skills.ts";

const BY_NAME: ReadonlyMap<string, Skill> = new Map(SKILLS.map((skill) => [skill.name, skill]));

/** What models and MCP clients call it by: they take letters, digits and underscores, and no dot. */
export const toolNameOf = (skill: Skill) => skill.name.replaceAll(".", "_");

const BY_TOOL_NAME: ReadonlyMap<string, Skill> = new Map(
  SKILLS.map((skill) => [toolNameOf(skill), skill]),
);

/** @throws AppError `not_found` */
export function findSkill(name: string): Skill {
  const skill = BY_NAME.get(name);
  if (skill) return skill;
  throw new AppError("not_found", {
    message: "There is no skill of this name. GET /v1/skills lists them.",
  });
}

/** The skill that stands behind a tool; null where there is none. */
export function findTool(toolName: string): Skill | null {
  return BY_TOOL_NAME.get(toolName) ?? null;
}
