import { Composer } from "grammy";
import { VERSION } from "#core/kernel/version.ts";
import { countLinks } from "#core/telegram/count-links.ts";
import { broadcastObject } from "../deps.ts";
import { commandArgument } from "../telegram/addressing.ts";
import { MESSAGE_LIMIT } from "../text/formatted-text.ts";
import type { BotContext } from "../turn.ts";

/** `/stats` and `/broadcast`, for the bot's admins. To anybody else they are commands that do not exist. */
export const admin = new Composer<BotContext>();

const forAdmins = admin.filter((ctx) => ctx.turn.isBotAdmin);

forAdmins.command("stats", async ({ turn }) => {
  const counts = await countLinks(turn.parts.deps.context(turn.parts.row.requestId));
  return turn.answer(turn.say.admin.stats({ ...counts, version: VERSION }));
});

forAdmins.command("broadcast", async ({ turn, message }) => {
  const text = message ? commandArgument(message) : "";
  if (text === "") return turn.answer(turn.say.admin.broadcastHow);
  if (text.length > MESSAGE_LIMIT)
    return turn.answer(turn.say.admin.broadcastTooLong({ most: MESSAGE_LIMIT }));
  const { row, target, language, deps } = turn.parts;
  await broadcastObject(deps).startBroadcast({
    id: `broadcast:${row.updateId}`,
    text,
    reportTo: target.chatId,
    language,
  });
  return turn.answer(turn.say.admin.broadcastStarted);
});
