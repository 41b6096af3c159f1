import { Composer } from "grammy";
import { LANGUAGES, languageOf, messagesIn, type Messages } from "../locales/index.ts";
import { commandArgument } from "../telegram/addressing.ts";
import type { BotContext, Turn } from "../turn.ts";
import { BUTTON, settingsKeyboard } from "../views/keyboards.ts";

/** Characters of a system prompt. */
const MOST_PROMPT = 4_000;
/** Of these, what /settings shows. */
const SHOWN_PROMPT = 300;

/** `/settings`: the chat's language, and instructions for every answer. */
export const settings = new Composer<BotContext>();

settings.command("settings", async (ctx) => {
  const { turn } = ctx;
  if (!(await turn.mayManageChat(ctx))) return turn.answer(turn.say.settings.onlyAdministrators);
  const [, what, text = ""] =
    /^(\S*)\s*([\s\S]*)$/.exec(ctx.message ? commandArgument(ctx.message) : "") ?? [];
  if (what !== "prompt") return turn.answer(settingsText(turn, turn.say), keyboard(turn, turn.say));
  if (text.length > MOST_PROMPT)
    return turn.answer(turn.say.settings.promptTooLong({ most: MOST_PROMPT }));
  const prompt = text.trim();
  turn.parts.settings.set("systemPrompt", prompt === "" ? null : prompt);
  return turn.answer(prompt === "" ? turn.say.settings.promptCleared : turn.say.settings.promptSet);
});

settings.callbackQuery(new RegExp(`^${BUTTON.language}:(\\w+)$`), async (ctx) => {
  const { turn } = ctx;
  if (!(await turn.mayManageChat(ctx)))
    return turn.parts.sender.answerCallback(
      ctx.callbackQuery.id,
      turn.say.settings.onlyAdministrators,
    );
  const chosen = LANGUAGES.find((language) => language === ctx.match[1]) ?? null;
  turn.parts.settings.set("language", chosen);
  const say = messagesIn(chosen ?? languageOf(ctx.from.language_code));
  await turn.parts.sender.answerCallback(ctx.callbackQuery.id, say.settings.languageSet);
  await refresh(ctx, say);
});

settings.callbackQuery(BUTTON.clearPrompt, async (ctx) => {
  const { turn } = ctx;
  if (!(await turn.mayManageChat(ctx)))
    return turn.parts.sender.answerCallback(
      ctx.callbackQuery.id,
      turn.say.settings.onlyAdministrators,
    );
  turn.parts.settings.set("systemPrompt", null);
  await turn.parts.sender.answerCallback(ctx.callbackQuery.id, turn.say.settings.promptCleared);
  await refresh(ctx, turn.say);
});

async function refresh(ctx: BotContext, say: Messages): Promise<void> {
  const messageId = ctx.callbackQuery?.message?.message_id;
  if (messageId === undefined) return;
  const { sender, target } = ctx.turn.parts;
  await sender.edit(
    target.chatId,
    messageId,
    { text: settingsText(ctx.turn, say), entities: [] },
    keyboard(ctx.turn, say),
  );
}

function settingsText(turn: Turn, say: Messages): string {
  const language = turn.parts.settings.get("language");
  const prompt = turn.parts.settings.get("systemPrompt");
  const shown =
    prompt !== null && prompt.length > SHOWN_PROMPT ? `${prompt.slice(0, SHOWN_PROMPT)}…` : prompt;
  return say.settings.title({
    language:
      language === null ? say.settings.automatic : messagesIn(languageOf(language)).languageName,
    prompt: shown ?? say.settings.noPrompt,
  });
}

const keyboard = (turn: Turn, say: Messages) =>
  settingsKeyboard(
    say,
    turn.parts.settings.get("language"),
    turn.parts.settings.get("systemPrompt") !== null,
  );
