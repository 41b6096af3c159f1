import { Composer } from "grammy";
import { KNOWN_COMMANDS } from "../commands.ts";
import { isForBot } from "../telegram/addressing.ts";
import type { BotContext } from "../turn.ts";
import { admin } from "./admin.ts";
import { chat } from "./chat.ts";
import { help } from "./help.ts";
import { membership } from "./membership.ts";
import { migration } from "./migration.ts";
import { model } from "./model.ts";
import { newConversation } from "./new-conversation.ts";
import { paused } from "./paused.ts";
import { settings } from "./settings.ts";
import { skills } from "./skills.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";
import { team } from "./team.ts";
import { usage } from "./usage.ts";
import { vinFile } from "./vin-file.ts";
import { vins } from "./vins.ts";
import { whoami } from "./whoami.ts";

/** What the bot does, in the order in which it is tried. */
export const features = new Composer<BotContext>();

features.use(migration, membership);
features.use(async (ctx, next) => {
  if (ctx.message && !isForBot(ctx.message, ctx.turn.parts.bot, KNOWN_COMMANDS)) return;
  await next();
});
features.use(paused);
features.use(
  start,
  help,
  newConversation,
  model,
  usage,
  stop,
  settings,
  team,
  whoami,
  admin,
  skills,
  vins,
  vinFile,
  chat,
);
// A button of an older version, or one that we never made: the app stops waiting, and that is all.
features.on("callback_query", (ctx) => ctx.turn.parts.sender.answerCallback(ctx.callbackQuery.id));
