import { estimatePromptTokens } from "../chat/estimate-tokens.ts";
import type { MessageContent } from "./message-content.ts";
import type { ToolMessage } from "./tool-calls.ts";

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

/** How many tokens calls of tools and their results take in a prompt, estimated. */
export function toolTokensOf(messages: readonly ToolMessage[]): number {
  return estimatePromptTokens(messages);
}

/** A message of the history as far as trimming looks at it. */
export interface Weighed {
  role: "user" | "assistant";
  tokens: number;
  /** What its calls of tools take besides, with their results; 0 where there are none. */
  toolTokens: number;
}

/** Calls of tools take at most this part of the room that a history has: what was said comes first. */
const TOOLS_SHARE = 0.5;

/**
 * As much of the history as there is room for: the oldest goes first, and what is left begins with a user's message.
 * The calls of tools before an answer stay all together, with their results, or go, the older ones first.
 * @param newestFirst the history, read only as far as needed
 * @param room in tokens, once system prompt and message have theirs
 * @param withTools whether the model may see calls of tools at all
 * @returns what goes to the model, the oldest first, and of each whether its calls do
 */
export function trimHistory<Message extends Weighed>(
  newestFirst: Iterable<Message>,
  room: number,
  withTools = false,
): { message: Message; calls: boolean }[] {
  const kept: { message: Message; calls: boolean }[] = [];
  let left = room;
  let forTools = withTools ? room * TOOLS_SHARE : 0;
  for (const message of newestFirst) {
    left -= message.tokens;
    if (left < 0) break;
    const { toolTokens } = message;
    const calls = toolTokens > 0 && toolTokens <= Math.min(forTools, left);
    if (calls) {
      left -= toolTokens;
      forTools -= toolTokens;
    } else if (toolTokens > 0) forTools = 0; // nor those before it
    kept.push({ message, calls });
  }
  while (kept.at(-1)?.message.role === "assistant") kept.pop();
  return kept.reverse();
}
