import { Composer } from "grammy";
import type { BotContext } from "../turn.ts";
import { BUTTON } from "../views/keyboards.ts";

/** `/stop` and the stop button: the answer ends, and what was written of it stays. */
export const stop = new Composer<BotContext>();

stop.command("stop", ({ turn }) =>
  turn.answer(
    turn.parts.stopAnswer(turn.parts.row.receivedAt)
      ? turn.say.chat.stopped
      : turn.say.chat.nothingToStop,
  ),
);

stop.callbackQuery(new RegExp(`^${BUTTON.stop}:(\\d+)$`), async (ctx) => {
  const { turn, callbackQuery } = ctx;
  const { sender, inbox, userId } = turn.parts;
  const running = inbox.running();
  if (running?.updateId !== Number(ctx.match[1]))
    return sender.answerCallback(callbackQuery.id, turn.say.chat.nothingToStop);
  if (askerOf(running.body) !== userId)
    return sender.answerCallback(callbackQuery.id, turn.say.chat.onlyTheAsker, true);
  turn.parts.stopAnswer(turn.parts.row.receivedAt);
  return sender.answerCallback(callbackQuery.id, turn.say.chat.stopping);
});

function askerOf(body: string): number | null {
  const update: unknown = JSON.parse(body);
  const message =
    typeof update === "object" && update !== null && "message" in update ? update.message : null;
  const from =
    typeof message === "object" && message !== null && "from" in message ? message.from : null;
  return typeof from === "object" && from !== null && "id" in from && typeof from.id === "number"
    ? from.id
    : null;
}
