import { AppError } from "../kernel/errors.ts";

/** What whoever uses a skill is told that their team has switched off. */
export const skillSwitchedOff = (name: string): AppError =>
  new AppError("skill_switched_off", {
    message: `The skill ${name} is switched off for this team. An admin of the team can switch it on: PUT /v1/skills/${name}.`,
  });
