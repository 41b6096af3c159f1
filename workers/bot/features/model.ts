import { Composer } from "grammy";
import { sha256Hex } from "#core/kernel/digest.ts";
import type { BotContext } from "../turn.ts";
import { BUTTON, modelKeyboard } from "../views/keyboards.ts";
import { problemText } from "../views/problem.ts";

/** Buttons in one message; Telegram takes 100. */
const MOST_MODELS = 50;

/** A model's name can be longer than the 64 bytes of a button's data, so that a button carries this in its place. */
const markOf = async (name: string) => (await sha256Hex(name)).slice(0, 16);

/** `/model`: the models that the team may use, as buttons. */
export const model = new Composer<BotContext>();

model.command("model", async (ctx) => {
  const { turn } = ctx;
  if (!(await turn.mayManageChat(ctx))) return turn.answer(turn.say.settings.onlyAdministrators);
  const link = await turn.link();
  if (!link) return turn.answerNotLinked();
  let names: string[];
  try {
    names = (await turn.switchyard(link).models()).slice(0, MOST_MODELS);
  } catch (error) {
    return turn.answer(problemText(turn.say, error, turn.parts.row.requestId));
  }
  if (names.length === 0) return turn.answer(turn.say.model.none);
  const current = turn.parts.settings.get("model");
  const choices = await Promise.all(
    names.map(async (name) => ({ name, mark: await markOf(name) })),
  );
  return turn.answer(
    turn.say.model.choose({ current: current ?? turn.say.defaultModel }),
    modelKeyboard(choices, current),
  );
});

model.callbackQuery(new RegExp(`^${BUTTON.model}:([0-9a-f]{16})$`), async (ctx) => {
  const { turn, callbackQuery } = ctx;
  const { sender, settings, target } = turn.parts;
  const tell = (text: string) => sender.answerCallback(callbackQuery.id, text);
  if (!(await turn.mayManageChat(ctx))) return tell(turn.say.settings.onlyAdministrators);
  const link = await turn.link();
  const names = link
    ? await turn
        .switchyard(link)
        .models()
        .catch(() => [])
    : [];
  const marks = await Promise.all(names.map(markOf));
  const chosen = names[marks.indexOf(ctx.match[1] ?? "")];
  if (chosen === undefined) return tell(turn.say.model.gone);
  settings.set("model", chosen);
  await tell(turn.say.model.set({ model: chosen }));
  const messageId = callbackQuery.message?.message_id;
  if (messageId !== undefined)
    await sender.edit(target.chatId, messageId, {
      text: turn.say.model.set({ model: chosen }),
      entities: [],
    });
});
