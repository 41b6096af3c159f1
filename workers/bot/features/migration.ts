import { Composer } from "grammy";
import { chatObject } from "../deps.ts";
import type { BotContext } from "../turn.ts";

/** A group became a supergroup with another id. Both chats are told; whichever comes first does it, the other changes nothing. */
export const migration = new Composer<BotContext>();

migration.on("message:migrate_to_chat_id", (ctx) =>
  ctx.turn.parts.moveTo(ctx.message.migrate_to_chat_id),
);

migration.on("message:migrate_from_chat_id", (ctx) => {
  const { deps, target } = ctx.turn.parts;
  const from = ctx.message.migrate_from_chat_id;
  return chatObject(deps, from).moveTo(from, target.chatId);
});
