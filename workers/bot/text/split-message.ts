import {
  characterBoundary,
  ENTITY_LIMIT,
  type FormattedText,
  MESSAGE_LIMIT,
} from "./formatted-text.ts";

/**
 * Cuts a text into messages that Telegram takes. It prefers to cut between paragraphs, then between lines, then at a
 * space. A code block is cut only where it cannot fit a message of its own, between lines, and is a code block of the
 * same language on both sides.
 */
export function splitMessage(whole: FormattedText, limit = MESSAGE_LIMIT): FormattedText[] {
  const parts: FormattedText[] = [];
  let start = 0;
  while (start < whole.text.length) {
    const end = endOfPart(whole, start, limit);
    const part = slice(whole, start, end);
    if (part.text !== "") parts.push(part);
    start = end;
  }
  return parts;
}

function endOfPart(whole: FormattedText, start: number, limit: number): number {
  const { text } = whole;
  const tooMany =
    whole.entities.filter((one) => one.offset >= start)[ENTITY_LIMIT]?.offset ?? Infinity;
  const furthest = Math.min(start + limit, tooMany);
  if (furthest >= text.length) return text.length;
  const blocks = whole.entities.filter((one) => one.type === "pre");
  const blockAt = (index: number) =>
    blocks.find((one) => one.offset < index && index < one.offset + one.length);
  const free = (index: number) => blockAt(index) === undefined;
  const half = start + (furthest - start) / 2;

  const torn = blockAt(furthest);
  if (torn && torn.offset > start && torn.length <= limit) return torn.offset;
  const lineInBlock = torn
    ? lastBreak(text, "\n", Math.max(half, torn.offset), furthest, () => true)
    : -1;
  if (lineInBlock > 0) return lineInBlock;
  for (const [separator, least] of [
    ["\n\n", half],
    ["\n", half],
    ["\n", start + 1],
    [" ", start + 1],
  ] as const) {
    const index = lastBreak(text, separator, least, furthest, free);
    if (index > 0) return index;
  }
  const hard = characterBoundary(text, furthest);
  return hard > start ? hard : furthest;
}

/** The index after the last separator that ends within the range, or -1. */
function lastBreak(
  text: string,
  separator: string,
  least: number,
  most: number,
  allowed: (index: number) => boolean,
): number {
  for (
    let at = text.lastIndexOf(separator, most - separator.length);
    at >= 0;
    at = at === 0 ? -1 : text.lastIndexOf(separator, at - 1)
  ) {
    const index = at + separator.length;
    if (index < least) return -1;
    if (allowed(index)) return index;
  }
  return -1;
}

function slice(whole: FormattedText, from: number, to: number): FormattedText {
  let start = from;
  let end = to;
  while (end > start && /\s/.test(whole.text.charAt(end - 1))) end--;
  while (start < end && /[\n\r]/.test(whole.text.charAt(start))) start++;
  const entities = whole.entities
    .map((one) => {
      const offset = Math.max(one.offset, start);
      return {
        ...one,
        offset: offset - start,
        length: Math.min(one.offset + one.length, end) - offset,
      };
    })
    .filter((one) => one.length > 0);
  return { text: whole.text.slice(start, end), entities };
}
