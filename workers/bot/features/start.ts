import { Composer } from "grammy";
import { redeemLinkCode } from "#core/telegram/redeem-link-code.ts";
import { commandArgument } from "../telegram/addressing.ts";
import type { BotContext } from "../turn.ts";
import { join } from "./join.ts";

/**
 * `/start`, and `/start <code>`, which is what a deep link sends: it links the chat to the team that made the code, or
 * accepts an invitation.
 */
export const start = new Composer<BotContext>();

start.command("start", async (ctx) => {
  const { turn } = ctx;
  const { target, userId, deps, row } = turn.parts;
  const code = ctx.message ? commandArgument(ctx.message) : "";
  const link = await turn.link();
  if (code === "") {
    if (!link) return turn.answerNotLinked();
    return turn.answer(
      link.guest ? turn.say.start.guest : turn.say.start.linked({ team: link.teamName }),
    );
  }
  if (await turn.writesAreOff()) return turn.answer(turn.say.errors.read_only);
  if (code.startsWith("inv_")) return join(ctx, code);
  // Whoever has a code may link a new group; only its administrators may move it to another team.
  if (link && !link.guest && !(await turn.mayManageChat(ctx)))
    return turn.answer(turn.say.settings.onlyAdministrators);
  const linked = await redeemLinkCode(deps.context(row.requestId), {
    code,
    chatId: target.chatId,
    userId,
  });
  if (!linked) return turn.answer(turn.say.start.badCode);
  turn.useTeam(linked, link?.teamId ?? null);
  return turn.answer(turn.say.start.linkedNow({ team: linked.teamName }));
});
