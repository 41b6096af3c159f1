import { Composer } from "grammy";
import type { BotContext } from "../turn.ts";

/**
 * While the bot is switched off it answers nothing, and each chat is told so once. What is sent meanwhile is
 * acknowledged and left unanswered: a flood of late answers would help nobody.
 */
export const paused = new Composer<BotContext>();

paused.use(async (ctx, next) => {
  const { turn } = ctx;
  const { deps, settings, sender } = turn.parts;
  const since = (await deps.signal())?.botOffAt ?? null;
  if (since === null) return next();
  if (ctx.callbackQuery) return sender.answerCallback(ctx.callbackQuery.id);
  if (settings.get("toldPausedSince") === since) return;
  settings.set("toldPausedSince", since);
  await turn.answer(turn.say.paused);
});
