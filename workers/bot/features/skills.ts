import { Composer } from "grammy";
import type { Skill } from "#core/skills/skill.ts";
import { SKILLS } from "#core/skills/skills.ts";
import { answerMessages } from "../text/answer-messages.ts";
import type { BotContext, LinkOfChat, Turn } from "../turn.ts";
import { problemText } from "../views/problem.ts";

/** A command for each skill that has one: `/vin 1HGCM82633A004352`. */
export const skills = new Composer<BotContext>();

for (const skill of SKILLS) {
  const { telegram } = skill;
  if (!telegram) continue;
  skills.command(telegram.command, async ({ turn, match }) => {
    const link = await turn.link();
    if (!link) return turn.answer(turn.say.notLinked({ isGroup: turn.parts.isGroup }));
    const input = telegram.parse(String(match).trim());
    if (input === null) return turn.answer(telegram.usage[turn.parts.language]);
    return answerWithSkill(turn, link, { skill, input });
  });
}

/** The answer is kept before it is sent, so that a crash in between neither changes it nor charges it twice. */
async function answerWithSkill(turn: Turn, link: LinkOfChat, asked: Asked): Promise<void> {
  const { row, inbox, reply } = turn.parts;
  const answer = row.answer ?? (await use(turn, link, asked));
  inbox.saveAnswer(row.updateId, answer);
  await reply.finish(answerMessages(answer, turn.say.chat.inFile));
}

interface Asked {
  skill: Skill;
  input: object;
}

async function use(turn: Turn, link: LinkOfChat, { skill, input }: Asked): Promise<string> {
  const { row, language, target } = turn.parts;
  try {
    // A turn that died before its answer was kept asks again under the same name.
    const useId = `telegram-${target.chatId}-${row.updateId}`;
    const output = await turn.switchyard(link).useSkill(skill.name, input, useId);
    return skill.telegram?.render(skill.output.parse(output), language) ?? "";
  } catch (error) {
    const usage = skill.telegram?.usage[language] ?? "";
    return `${problemText(turn.say, error, row.requestId)}\n\n${usage}`;
  }
}
