import { type Fields, listOf, objectOf } from "../../../chat/loose-json.ts";

/**
 * How the blocks of a message stood among each other: `"thought"`, `"call"`, or the length of a text. The canonical form
 * has all thoughts first, then one text, then the calls; Anthropic wants its signed thoughts back where they stood.
 */
export type Order = ("thought" | "call" | number)[];

const THOUGHTS = new Set<unknown>(["thinking", "redacted_thinking"]);

/** Whether a block is a thought, which goes back unchanged. */
export const isThought = ({ type }: Fields) => THOUGHTS.has(type);

/** The order of these blocks; null where it is the canonical form's own. */
export function orderOf(blocks: readonly Fields[]): Order | null {
  const order: Order = [];
  for (const block of blocks) {
    const { type, text } = block;
    if (isThought(block)) order.push("thought");
    else if (type === "tool_use") order.push("call");
    else if (type === "text") order.push(String(text).length);
  }
  const ranks = order.map((one) => (one === "thought" ? 0 : one === "call" ? 2 : 1));
  const isPlain = ranks.every((rank, index) => index === 0 || rank >= (ranks[index - 1] ?? 0));
  return isPlain ? null : order;
}

/** The blocks of an assistant's message in the canonical form. */
export interface Blocks {
  thoughts: Fields[];
  texts: Fields[];
  calls: Fields[];
}

/** Puts blocks back into the order in which they came; a message that was changed since then keeps the canonical one. */
export function inOrder({ thoughts, texts, calls }: Blocks, order: unknown): Fields[] {
  const plain = [...thoughts, ...texts, ...calls];
  const steps = listOf(order);
  const text = texts.map((block) => String(block["text"])).join("");
  const lengths = steps.filter((step) => typeof step === "number");
  const fits =
    steps.filter((step) => step === "thought").length === thoughts.length &&
    steps.filter((step) => step === "call").length === calls.length &&
    lengths.reduce((sum, length) => sum + length, 0) === text.length;
  if (!fits) return plain;
  const left = { thoughts: [...thoughts], calls: [...calls], at: 0 };
  const next = (step: unknown): Fields | undefined => {
    if (typeof step !== "number") return (step === "thought" ? left.thoughts : left.calls).shift();
    const piece = text.slice(left.at, left.at + step);
    left.at += step;
    return piece === "" ? undefined : { type: "text", text: piece };
  };
  return steps.map(next).filter((block) => block !== undefined);
}

/** What of a message Anthropic wants back as it was: under `extra_content.anthropic`. */
export function keptOf(blocks: readonly Fields[]): { extra_content: Fields } | null {
  const thoughts = blocks.filter(isThought);
  if (thoughts.length === 0) return null;
  const order = orderOf(blocks);
  const kept = { thinking_blocks: thoughts, ...(order === null ? {} : { order }) };
  return { extra_content: { anthropic: kept } };
}

/** What a message brings back of it. */
export const keptIn = (message: Fields) =>
  objectOf(objectOf(message["extra_content"])["anthropic"]);
