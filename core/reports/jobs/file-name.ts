import type { Report } from "../report.ts";

const MOST_CHARACTERS = 80;

/**
 * A name for a report's file: its title, as long as people read it, without what no file system takes, and the last
 * day, so that those of a schedule stay apart.
 */
export function fileName({ cover }: Report, extension: string): string {
  const plain = cover.title
    .normalize("NFC")
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|]+/gu, (found) =>
      found === "\u200c" ? found : " ",
    )
    .replaceAll(/\s+/g, " ")
    .trim();
  const title = [...plain]
    .slice(0, MOST_CHARACTERS)
    .join("")
    .replace(/^[. ]+|[. ]+$/g, "");
  return `${title === "" ? "report" : title} ${cover.period.to}.${extension}`;
}
