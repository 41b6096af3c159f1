import { Composer } from "grammy";
import type { BotContext } from "../turn.ts";

const GONE = new Set(["kicked", "left"]);

/** The bot was blocked, removed, or let in again. */
export const membership = new Composer<BotContext>();

membership.on("my_chat_member", (ctx) =>
  ctx.turn.parts.setBlocked(GONE.has(ctx.myChatMember.new_chat_member?.status)),
);
