import { findSkill } from "#core/skills/find-skill.ts";
import type { Skill } from "#core/skills/skill.ts";
import { markdownToEntities } from "../text/markdown-to-entities.ts";
import type { LinkOfChat, Turn } from "../turn.ts";
import type { Reply } from "../chat-object/reply.ts";
import { skillAtWork } from "../views/skill-progress.ts";
import { type JobView, watchJob } from "./watch-job.ts";

/** A job that the model has begun in its turn. */
export interface BegunJob {
  skill: string;
  jobId: string;
}

/** Shows the jobs that the model has begun below its answer, each in a message of its own that becomes its files. */
export async function showBegunJobs(
  turn: Turn,
  link: LinkOfChat,
  { jobs, reply }: { jobs: readonly BegunJob[]; reply: Reply },
): Promise<void> {
  let below = reply;
  for (const { skill, jobId } of jobs) {
    const view = skillJobView(turn, findSkill(skill));
    const begin = () => Promise.resolve(jobId);
    below = below.below(await watchJob(turn, link, { view, reply: below, begin }));
  }
}

/** How a skill's job is shown. */
export function skillJobView(turn: Turn, skill: Skill): JobView {
  const { language } = turn.parts;
  return {
    progress: ({ progress }) => skillAtWork(skill, language, progress),
    caption({ result }) {
      const markdown = skill.telegram?.render(skill.output.parse(result), language) ?? skill.title;
      return markdownToEntities(markdown).text;
    },
    failed: (reason) => turn.say.jobs.failed({ reason }),
  };
}
