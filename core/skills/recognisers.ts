import type { Recogniser } from "../chat/builtin-model.ts";
import { toolNameOf } from "./find-skill.ts";
import type { Language, Skill } from "./skill.ts";
import { readResult } from "./skill-tools.ts";
import { SKILLS } from "./skills.ts";

/** What the builtin model knows of the skills: when to use them unasked, and how to tell what they answer. */
export const RECOGNISERS: readonly Recogniser[] = SKILLS.map((skill) => ({
  tool: toolNameOf(skill),
  recognise: (text) => skill.recognise?.(text) ?? null,
  tell: (result, text) => told(skill, result, text),
}));

function told({ telegram, output }: Skill, result: string, text: string): string | null {
  if (!telegram) return null;
  const parsed = output.safeParse(readResult(result));
  return parsed.success ? telegram.render(parsed.data, languageOf(text)) : null;
}

/** As far as the script of a text says. */
const languageOf = (text: string): Language => (/\p{Script=Arabic}/u.test(text) ? "fa" : "en");
