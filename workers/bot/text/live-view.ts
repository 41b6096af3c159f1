import { characterBoundary, MESSAGE_LIMIT } from "./formatted-text.ts";

/** Shown until there is something to show. */
export const PLACEHOLDER = "…";

/** What a message shows while its answer is still being written: the plain text, and of a long one its end. */
export function liveView(markdown: string): string {
  const text = markdown.trim();
  if (text === "") return PLACEHOLDER;
  if (text.length <= MESSAGE_LIMIT - 2) return text;
  const start = characterBoundary(text, text.length - (MESSAGE_LIMIT - 100));
  const line = text.indexOf("\n", start);
  const from = line > 0 && line - start < 500 ? line + 1 : start;
  return `${PLACEHOLDER}\n${text.slice(from)}`;
}
