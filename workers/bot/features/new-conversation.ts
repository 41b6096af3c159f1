import { Composer } from "grammy";
import type { BotContext } from "../turn.ts";

/** `/new`: the next question begins a conversation; the one before expires by itself. */
export const newConversation = new Composer<BotContext>();

newConversation.command("new", ({ turn }) => {
  turn.parts.settings.set(turn.sessionName, null);
  return turn.answer(turn.say.newConversation);
});
