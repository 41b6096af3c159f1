import type { PostgresServer } from "#test/harness/postgres.ts";
import { type Stack, type StackOptions, startStack } from "#test/harness/stack.ts";
import { buildWithSkills, extraSkill, skillOfReadme } from "./build-with-skills.ts";

/** The Workers with the skill of the README, and with those that misbehave. */
export async function startWithSkills(
  postgres: PostgresServer,
  options: Omit<StackOptions, "postgres" | "bundles"> = {},
): Promise<Stack> {
  const workers = options.workers ?? ["api", "bot", "cron"];
  const skills = [
    await skillOfReadme(),
    await extraSkill("misbehave.ts"),
    await extraSkill("change.ts"),
    await extraSkill("count-slowly.ts"),
  ];
  const built = await buildWithSkills(workers, skills);
  const stack = await startStack({ ...options, postgres, bundles: built.bundles });
  return {
    ...stack,
    async stop() {
      await stack.stop();
      await built.remove();
    },
  };
}
