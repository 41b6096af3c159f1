import { Composer } from "grammy";
import { SKILL_COMMANDS } from "../commands.ts";
import type { BotContext } from "../turn.ts";

/** `/help` */
export const help = new Composer<BotContext>();

help.command("help", ({ turn }) =>
  turn.answer(
    [
      turn.say.help({ username: turn.parts.bot.username, isGroup: turn.parts.isGroup }),
      ...SKILL_COMMANDS.map(({ usage }) => usage[turn.parts.language]),
    ].join("\n"),
  ),
);
