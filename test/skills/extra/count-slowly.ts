import { selfTest, selfTestInput, selfTestResult } from "#core/jobs/self-test/self-test-type.ts";
import { defineSkill } from "#core/skills/skill.ts";

/** A skill that is a job. */
export const countSlowlySkill = defineSkill({
  name: "test.count_slowly",
  title: "Count slowly",
  summary: "Counts to a number, one after the other.",
  input: selfTestInput,
  output: selfTestResult,
  example: { count: 3 },
  readOnly: true,
  job: (input) => ({ type: selfTest, input }),
});
