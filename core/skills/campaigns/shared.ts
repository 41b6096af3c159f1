import { z } from "zod";
import type { Language as SentenceLanguage } from "../../campaigns/words/figures.ts";
import type { Language } from "../skill.ts";

export const campaignId = z
  .string()
  .max(100)
  .optional()
  .describe("One campaign, by its id; all campaigns without it");

/** The language of sentences about campaigns; those who read German get English. */
export const languageOf = (language: Language): SentenceLanguage =>
  language === "fa" ? "fa" : "en";

/** What a name may hold that Markdown reads: links, code, emphasis. */
const MARKUP = /[*_`[\]<>|~\\]/g;

/** Sentences as Markdown. Names in them come from files, so nothing of theirs is markup. */
export const paragraphs = (sentences: readonly string[]) =>
  sentences.map((sentence) => sentence.replaceAll(MARKUP, (sign) => `\\${sign}`)).join("\n\n");
