import { JobFailure, type JobProgram } from "../../jobs/job-type.ts";
import { type RunSkillInput, type RunSkillResult, runSkill } from "./run-skill-type.ts";

/** What the job type `run_skill` does. The use counts once, also where its answer was lost on the way. */
export const runSkillProgram: JobProgram<RunSkillInput, RunSkillResult> = {
  type: runSkill,
  version: 1,
  run({ id, input, step, ports, context }) {
    return step.run("use the skill", async () => {
      const answer = await ports.skills.use(context.principal, { ...input, key: id });
      if (answer.kind === "answer") return answer.output;
      if (answer.final) throw new JobFailure(answer.message);
      throw new Error(answer.message);
    });
  },
};
