import { estimatePromptTokens } from "../chat/estimate-tokens.ts";
import type { MessageContent } from "./session.ts";

interface Spoken {
  role: "user" | "assistant";
  content: MessageContent;
}

/** How many tokens a message takes in a prompt. */
export function messageTokens(role: string, content: MessageContent): number {
  return estimatePromptTokens([{ role, content }]);
}

/**
 * The messages of a turn that fit into the model's context: the system prompt always, the new message always, and as
 * much of the history as is left room for, the oldest going first. What is left begins with a user's message.
 * @param limit how many tokens all of it may take
 * @returns null when the system prompt and the new message alone are too long
 */
export function trimHistory(system: string | null, history: Spoken[], message: MessageContent, limit: number) {
  let left = limit - messageTokens("user", message) - (system === null ? 0 : messageTokens("system", system));
  if (left < 0) return null;
  const kept: Spoken[] = [];
  for (let index = history.length - 1; index >= 0; index--) {
    const spoken = history[index];
    if (!spoken) break;
    left -= messageTokens(spoken.role, spoken.content);
    if (left < 0) break;
    kept.unshift(spoken);
  }
  while (kept[0]?.role === "assistant") kept.shift();
  return [
    ...(system === null ? [] : [{ role: "system" as const, content: system }]),
    ...kept,
    { role: "user" as const, content: message },
  ];
}

/** A message as the history keeps it: pictures are not kept, only that there was one. */
export function withoutImages(content: MessageContent): MessageContent {
  if (typeof content === "string") return content;
  const text = content.map((part) => (part.type === "text" ? part.text : "[image]")).join("\n");
  return text;
}
