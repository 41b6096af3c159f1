import { z } from "zod";
import { defineSkill } from "#core/skills/skill.ts";

/** Changes something, and is for admins. */
export const changeSkill = defineSkill({
  name: "test.change",
  title: "Change something",
  summary: "Changes something of the team.",
  scope: "admin",
  input: z.strictObject({ to: z.string().describe("What it becomes") }),
  output: z.object({ changed_to: z.string() }),
  example: { to: "new" },
  readOnly: false,
  async run(context, { to }) {
    context.log.info("test_changed", { to });
    return { changed_to: to };
  },
});
