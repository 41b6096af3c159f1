import type { InlineKeyboardMarkup } from "grammy/types";
import { LANGUAGES, LOCALES, type Messages } from "../locales/index.ts";

/** What buttons send back, at most 64 bytes: a name, and what it is about. */
export const BUTTON = {
  stop: "stop",
  model: "model",
  team: "team",
  language: "lang",
  clearPrompt: "clear-prompt",
  vin: "vin",
} as const;

const AUTOMATIC = "auto";

export function stopKeyboard(say: Messages, updateId: number): InlineKeyboardMarkup {
  return {
    inline_keyboard: [[{ text: say.chat.stopButton, callback_data: `${BUTTON.stop}:${updateId}` }]],
  };
}

/** @param models each with the mark that stands for its name in the button */
export function modelKeyboard(
  models: { name: string; mark: string }[],
  current: string | null,
): InlineKeyboardMarkup {
  return {
    inline_keyboard: models.map(({ name, mark }) => [
      { text: name === current ? `✓ ${name}` : name, callback_data: `${BUTTON.model}:${mark}` },
    ]),
  };
}

/** @param teams the one that the chat uses first; an id fits into a button's data */
export function teamKeyboard(teams: { teamId: string; teamName: string }[]): InlineKeyboardMarkup {
  return {
    inline_keyboard: teams.map(({ teamId, teamName }, index) => [
      {
        text: index === 0 ? `✓ ${teamName}` : teamName,
        callback_data: `${BUTTON.team}:${teamId}`,
      },
    ]),
  };
}

export function settingsKeyboard(
  say: Messages,
  chosen: string | null,
  hasPrompt: boolean,
): InlineKeyboardMarkup {
  const marked = (text: string, on: boolean) => (on ? `✓ ${text}` : text);
  const languages = LANGUAGES.map((language) => ({
    text: marked(LOCALES[language].languageName, language === chosen),
    callback_data: `${BUTTON.language}:${language}`,
  }));
  const automatic = {
    text: marked(say.settings.automatic, chosen === null),
    callback_data: `${BUTTON.language}:${AUTOMATIC}`,
  };
  const clear = hasPrompt
    ? [[{ text: say.settings.clearPrompt, callback_data: BUTTON.clearPrompt }]]
    : [];
  return { inline_keyboard: [languages, [automatic], ...clear] };
}

/** The VINs that a mistyped one may have been. */
export function vinKeyboard(vins: readonly string[]): InlineKeyboardMarkup {
  return {
    inline_keyboard: vins.map((vin) => [{ text: vin, callback_data: `${BUTTON.vin}:${vin}` }]),
  };
}
