import { estimatePromptTokens } from "../chat/estimate-tokens.ts";
import type { MessageContent } from "./message-content.ts";

/** The context of a model of which nobody has said how much it holds, in tokens: what most models of today hold at least. */
const ASSUMED_CONTEXT_TOKENS = 128_000;
/** Room for the answer where nobody has said how long one may be, in tokens. */
const ANSWER_TOKENS = 4_096;
/** The most of a context that is kept free for the answer. */
const ANSWER_SHARE = 0.25;

/** How many tokens of prompt a model takes: its context, less room for the answer. */
export function promptRoom(model: {
  contextTokens: number | null;
  maxOutputTokens: number | null;
}): number {
  const context = model.contextTokens ?? ASSUMED_CONTEXT_TOKENS;
  const answer = Math.min(
    model.maxOutputTokens ?? ANSWER_TOKENS,
    Math.floor(context * ANSWER_SHARE),
  );
  return context - answer;
}

/** How many tokens a message takes in a prompt, estimated. */
export function messageTokens(role: string, content: MessageContent): number {
  return estimatePromptTokens([{ role, content }]);
}

/** A message of the history as far as trimming looks at it. */
export interface Weighed {
  role: "user" | "assistant";
  tokens: number;
}

/**
 * As much of the history as there is room for: the oldest goes first, and what is left begins with a user's message.
 * @param newestFirst the history, read only as far as needed
 * @param room in tokens, once system prompt and message have theirs
 * @returns what goes to the model, the oldest first
 */
export function trimHistory<Message extends Weighed>(
  newestFirst: Iterable<Message>,
  room: number,
): Message[] {
  const kept: Message[] = [];
  let left = room;
  for (const message of newestFirst) {
    left -= message.tokens;
    if (left < 0) break;
    kept.push(message);
  }
  while (kept.at(-1)?.role === "assistant") kept.pop();
  return kept.reverse();
}
