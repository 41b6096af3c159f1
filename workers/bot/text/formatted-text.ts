import type { MessageEntity } from "grammy/types";

/** A message's text with its formatting, as the Bot API takes it: offsets and lengths are UTF-16 code units. */
export interface FormattedText {
  text: string;
  entities: MessageEntity[];
}

export const plain = (text: string): FormattedText => ({ text, entities: [] });

/** Telegram takes at most this many characters in a message, after its entities are parsed. */
export const MESSAGE_LIMIT = 4096;
export const CAPTION_LIMIT = 1024;
/** Telegram keeps at most this many entities in a message. */
export const ENTITY_LIMIT = 100;

/** Moves an index that would cut a character in two to before that character. */
export function characterBoundary(text: string, index: number): number {
  const low = text.charCodeAt(index);
  const high = text.charCodeAt(index - 1);
  return low >= 0xdc00 && low <= 0xdfff && high >= 0xd800 && high <= 0xdbff ? index - 1 : index;
}
