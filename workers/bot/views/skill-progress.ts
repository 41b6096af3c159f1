import type { Skill } from "#core/skills/skill.ts";
import { purposeOf } from "../commands.ts";
import type { Language } from "../locales/index.ts";
import type { WatchedJob } from "../switchyard/switchyard-api.ts";

/** That a skill works, in the words of its command. */
export function skillAtWork(skill: Skill, language: Language): string {
  const purpose = skill.telegram ? purposeOf(skill.telegram.usage[language]) : skill.title;
  return `⏳ ${purpose} …`;
}

/** The same of its job, with how far that is. */
export function skillJobAtWork(skill: Skill, language: Language, { progress }: WatchedJob): string {
  const { done, total, message } = progress;
  const number = new Intl.NumberFormat(language);
  const counted =
    total === null ? number.format(done) : `${number.format(done)} / ${number.format(total)}`;
  return [skillAtWork(skill, language), done > 0 ? counted : "", message]
    .filter(Boolean)
    .join("\n");
}
