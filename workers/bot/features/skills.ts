import { Composer } from "grammy";
import type { Skill } from "#core/skills/skill.ts";
import { SKILLS } from "#core/skills/skills.ts";
import { answerMessages } from "../text/answer-messages.ts";
import type { BotContext, LinkOfChat, Turn } from "../turn.ts";
import { problemText } from "../views/problem.ts";
import { skillJobView } from "./skill-job.ts";
import { watchJob } from "./watch-job.ts";

/** A command for each skill that has one: `/vin 1HGCM82633A004352`. */
export const skills = new Composer<BotContext>();

for (const skill of SKILLS) {
  const { telegram } = skill;
  if (!telegram) continue;
  skills.command(telegram.command, async ({ turn, match }) => {
    const link = await turn.link();
    if (!link) return turn.answerNotLinked();
    const input = telegram.parse(String(match).trim(), turn.parts.language);
    if (input === null) return turn.answer(telegram.usage[turn.parts.language]);
    const asked = { skill, input };
    return "job" in skill ? answerWithJob(turn, link, asked) : answerWithSkill(turn, link, asked);
  });
}

/** The answer is kept before it is sent, so that a crash in between neither changes it nor charges it twice. */
async function answerWithSkill(turn: Turn, link: LinkOfChat, asked: Asked): Promise<void> {
  const { row, inbox, reply } = turn.parts;
  const answer = row.answer ?? (await use(turn, link, asked));
  inbox.saveAnswer(row.updateId, answer);
  await reply.finish(answerMessages(answer, turn.say.chat.inFile));
}

/** The job is kept with the update, so that a crash goes on with the same one. */
async function answerWithJob(turn: Turn, link: LinkOfChat, { skill, input }: Asked): Promise<void> {
  const { row, inbox, reply } = turn.parts;
  if (await turn.refusesJobs(link)) return;
  const begin = async () => {
    const jobId =
      row.answer ?? (await turn.switchyard(link).beginSkill(skill.name, input, useIdOf(turn)));
    inbox.saveAnswer(row.updateId, jobId);
    return jobId;
  };
  await watchJob(turn, link, { view: skillJobView(turn, skill), reply, begin });
}

/** A turn that died before its answer was kept asks again under the same name. */
const useIdOf = ({ parts: { row, target } }: Turn) => `telegram-${target.chatId}-${row.updateId}`;

interface Asked {
  skill: Skill;
  input: object;
}

async function use(turn: Turn, link: LinkOfChat, { skill, input }: Asked): Promise<string> {
  const { row, language } = turn.parts;
  try {
    const output = await turn.switchyard(link).useSkill(skill.name, input, useIdOf(turn));
    return skill.telegram?.render(skill.output.parse(output), language) ?? "";
  } catch (error) {
    const usage = skill.telegram?.usage[language] ?? "";
    return `${problemText(turn.say, error, row.requestId)}\n\n${usage}`;
  }
}
