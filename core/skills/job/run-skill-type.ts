import { z } from "zod";
import type { JobType, Json } from "../../jobs/job-type.ts";
import { SKILLS } from "../skills.ts";

const ANSWERING = SKILLS.filter((skill) => "run" in skill);
const byName = new Map(ANSWERING.map((skill) => [skill.name, skill]));

const input = z
  .strictObject({
    skill: z.string().describe("The skill's name, such as `vin.decode`"),
    input: z.record(z.string(), z.json()).describe("What the skill takes"),
  })
  .superRefine((asked, check) => {
    const skill = byName.get(asked.skill);
    if (!skill) {
      const names = ANSWERING.map(({ name }) => name).join(", ");
      const message = `must be one of ${names}; skills that are jobs have a type of their own`;
      check.addIssue({ code: "custom", path: ["skill"], message });
      return;
    }
    const parsed = skill.input.safeParse(asked.input);
    for (const { path, message } of parsed.error?.issues ?? [])
      check.addIssue({ code: "custom", path: ["input", ...path], message });
  });

export type RunSkillInput = z.output<typeof input>;
export type RunSkillResult = { [name: string]: Json };

/** Uses a skill that answers at once: at a later time, by a schedule, or with a callback. */
export const runSkill: JobType<RunSkillInput, RunSkillResult> = {
  name: "run_skill",
  summary:
    "Uses a skill that answers at once, as a job: later, by a schedule, or with a callback. The result is the skill's output.",
  scope: "skills",
  input,
  result: z.record(z.string(), z.json()),
};
