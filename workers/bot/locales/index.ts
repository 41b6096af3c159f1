import { de } from "./de.ts";
import { en, type Messages } from "./en.ts";
import { fa } from "./fa.ts";

export type { Messages } from "./en.ts";

export const LOCALES = { en, fa, de } as const satisfies Record<string, Messages>;
export type Language = keyof typeof LOCALES;
export const LANGUAGES: readonly Language[] = ["en", "fa", "de"];

/** The language of a code such as `fa`, `de-AT` or undefined; English for all that we do not speak. */
export function languageOf(code: string | null | undefined): Language {
  const base = code?.toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.find((language) => language === base) ?? "en";
}

export function messagesIn(language: Language): Messages {
  return LOCALES[language];
}
