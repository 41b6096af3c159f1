import type { Skill } from "#core/skills/skill.ts";
import { purposeOf } from "../commands.ts";
import type { Language } from "../locales/index.ts";
import type { WatchedJob } from "../switchyard/switchyard-api.ts";

type Progress = WatchedJob["progress"];

/** That a skill works, in the words of its command, and how far its job is, where it has begun one. */
export function skillAtWork(skill: Skill, language: Language, progress?: Progress | null): string {
  const purpose = skill.telegram ? purposeOf(skill.telegram.usage[language]) : skill.title;
  const lines = [`⏳ ${purpose} …`];
  if (!progress) return lines.join("");
  const { done, total, message } = progress;
  const number = new Intl.NumberFormat(language);
  if (done > 0)
    lines.push(
      total === null ? number.format(done) : `${number.format(done)} / ${number.format(total)}`,
    );
  return [...lines, message].filter(Boolean).join("\n");
}
