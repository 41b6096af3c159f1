import { Composer } from "grammy";
import { chooseTeam } from "#core/telegram/choose-team.ts";
import { listChatTeams } from "#core/telegram/find-link.ts";
import type { BotContext } from "../turn.ts";
import { BUTTON, teamKeyboard } from "../views/keyboards.ts";

/** `/team`: the teams that this chat may use, as buttons. */
export const team = new Composer<BotContext>();

team.command("team", async (ctx) => {
  const { turn } = ctx;
  const { deps, row, target } = turn.parts;
  if (!(await turn.mayManageChat(ctx))) return turn.answer(turn.say.settings.onlyAdministrators);
  const teams = await listChatTeams(deps.context(row.requestId), { chatId: target.chatId });
  const [current] = teams;
  if (!current) return turn.answerNotLinked();
  const names = { team: current.teamName };
  if (teams.length === 1) return turn.answer(turn.say.team.only(names));
  return turn.answer(turn.say.team.choose(names), teamKeyboard(teams));
});

team.callbackQuery(new RegExp(`^${BUTTON.team}:(team_[0-9a-z-]{1,40})$`), async (ctx) => {
  const { turn, callbackQuery } = ctx;
  const { deps, row, sender, target, userId } = turn.parts;
  const tell = (text: string) => sender.answerCallback(callbackQuery.id, text);
  if (!(await turn.mayManageChat(ctx))) return tell(turn.say.settings.onlyAdministrators);
  if (await turn.writesAreOff()) return tell(turn.say.errors.read_only);
  const before = await turn.link();
  const link = await chooseTeam(deps.context(row.requestId), {
    chatId: target.chatId,
    userId,
    teamId: ctx.match[1] ?? "",
  });
  if (!link) return tell(turn.say.team.gone);
  turn.useTeam(link, before?.teamId ?? null);
  const text = turn.say.team.set({ team: link.teamName });
  await tell(text);
  const messageId = callbackQuery.message?.message_id;
  if (messageId !== undefined) await sender.edit(target.chatId, messageId, { text, entities: [] });
});
