import { hashOn, type TokenFilter } from "./token-filter.ts";

/** Kinds of characters, as the tokenizer's first cut into pieces tells them apart. */
const SPACE = 1;
const NEWLINE = 2;
const DIGIT = 3;
const SMALL = 4;
const CAPITAL = 5;
const SIGN = 6;

/** The longest token that is looked for, in UTF-16 units; in scripts from the CJK radicals on. */
const LONGEST = 12;
const LONGEST_CJK = 4;
/** After so many lengths without a token, longer ones are not looked for. */
const GAP = 4;
const LENGTH_CLASS = [0, 0, 1, 2, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6];
const LENGTH_CLASSES = 7;
const SCRIPTS = 11;
/** A whole piece, the beginning of one, after a longer match, after a single character. */
const PLACES = 4;

const BLANK_PIECE = SCRIPTS * LENGTH_CLASSES * PLACES;
const DIGIT_PIECE = BLANK_PIECE + 1;
/** How many kinds of matches there are. */
export const MATCH_KINDS = BLANK_PIECE + 2;

const kinds = new Uint8Array(65536);

interface Reading {
  text: string;
  filter: TokenFilter;
  see: (kind: number) => void;
}

/**
 * Cuts a text into pieces by the rules of o200k_base, and each piece into the longest tokens that the filter knows.
 * In time linear in the text.
 * @param see gets the kind of each match in turn, by its script, length and place: 0 to MATCH_KINDS - 1
 */
export function eachMatch(reading: Reading): void {
  const { text, see } = reading;
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at);
    const kind = kindAt(text, at);
    if (kind === DIGIT) see(DIGIT_PIECE);
    else if (isBlank(kind) && isBlank(kindAt(text, end - 1))) see(BLANK_PIECE);
    else matchPiece(reading, at, end);
    at = end;
  }
}

/** Where the piece that begins at `start` ends: a word with the sign or space before it, 3 digits, signs, blanks. */
function pieceEnd(text: string, start: number): number {
  const kind = kindAt(text, start);
  if (isLetter(kind)) return lettersEnd(text, start);
  if (kind !== NEWLINE && kind !== DIGIT && isLetter(kindAt(text, start + 1)))
    return lettersEnd(text, start + 1);
  if (kind === DIGIT) {
    let end = start + 1;
    while (end < start + 3 && kindAt(text, end) === DIGIT) end++;
    return end;
  }
  const signs = text.charCodeAt(start) === 32 ? start + 1 : start;
  return kindAt(text, signs) === SIGN ? signsEnd(text, signs) : blanksEnd(text, start);
}

function lettersEnd(text: string, start: number): number {
  let afterSmall = false;
  for (let at = start; ; at++) {
    const kind = kindAt(text, at);
    if (kind === SMALL) afterSmall ||= text.charCodeAt(at) < 0x3000;
    else if (kind !== CAPITAL) return at > start ? contractionEnd(text, at) : at;
    else if (afterSmall) return at;
  }
}

/** Past `'s`, `'t`, `'re` and the like. */
function contractionEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== 39) return at;
  const next = text.slice(at + 1, at + 3).toLowerCase();
  if (/^[stdm]/.test(next)) return at + 2;
  return next === "re" || next === "ve" || next === "ll" ? at + 3 : at;
}

function signsEnd(text: string, start: number): number {
  let end = start;
  while (kindAt(text, end) === SIGN) end++;
  while (kindAt(text, end) === NEWLINE || text.charCodeAt(end) === 47) end++;
  return end;
}

function blanksEnd(text: string, start: number): number {
  let end = start;
  let afterNewline = 0;
  for (; isBlank(kindAt(text, end)); end++) {
    if (kindAt(text, end) === NEWLINE) afterNewline = end + 1;
  }
  if (afterNewline > 0) return afterNewline;
  // The last space belongs to the word that follows.
  return end < text.length && end - start > 1 ? end - 1 : end;
}

function matchPiece({ text, filter, see }: Reading, start: number, end: number): void {
  let previous = 0;
  for (let at = start; at < end;) {
    const spaced = at === start && text.charCodeAt(at) === 32;
    const length = longestToken(text, filter, { start: at, end, spaced });
    const shown = length > 1 ? Math.min(end - 1, at + 1) : at;
    const script = text.charCodeAt(at + length - 1) === 32 ? 0 : scriptOf(text.charCodeAt(shown));
    const whole = at + length === end ? 0 : 1;
    const place = at === start ? whole : previous === 1 ? 3 : 2;
    see((script * LENGTH_CLASSES + (LENGTH_CLASS[length] ?? 0)) * PLACES + place);
    previous = length;
    at += length;
  }
}

/** Tokens are known without the space before them and in small letters: most exist in all these forms. */
function longestToken(
  text: string,
  filter: TokenFilter,
  { start, end, spaced }: { start: number; end: number; spaced: boolean },
): number {
  const first = spaced ? 2 : 1;
  const longest = text.charCodeAt(start) > 0x2e00 ? LONGEST_CJK : LONGEST + first - 1;
  const limit = Math.min(longest, end - start);
  let best = Math.min(first, end - start);
  let hash = 0;
  for (let length = first; length <= limit; length++) {
    hash = hashOn(hash, text.charCodeAt(start + length - 1));
    if (length === first) continue;
    if (filter.has(hash)) best = length;
    else if (length - best >= GAP) break;
  }
  return best;
}

/** Scripts in the order of Unicode, as far as their tokens differ in length. */
function scriptOf(code: number): number {
  if (code < 128) {
    if (code === 32 || code === 10 || code === 9) return 0;
    return isLetter(kinds[code] ?? 0) ? 1 : 2;
  }
  if (code < 0x250) return 3;
  if (code < 0x590) return 4;
  if (code < 0x900) return 5;
  if (code < 0x2000) return 6;
  if (code < 0x2e00) return 7;
  if (code < 0xac00) return 8;
  return code < 0xd800 ? 9 : 10;
}

const isLetter = (kind: number) => kind === SMALL || kind === CAPITAL;
const isBlank = (kind: number) => kind === SPACE || kind === NEWLINE;

/** 0 past the end. Kinds are found once for each character, since Unicode's properties are slow to ask. */
function kindAt(text: string, at: number): number {
  if (at >= text.length) return 0;
  const code = text.charCodeAt(at);
  return kinds[code] || (kinds[code] = findKind(text.charAt(at)));
}

function findKind(char: string): number {
  if (char === "\n" || char === "\r") return NEWLINE;
  if (/\s/u.test(char)) return SPACE;
  if (/\p{N}/u.test(char)) return DIGIT;
  if (/[\p{Lu}\p{Lt}]/u.test(char)) return CAPITAL;
  return /[\p{L}\p{M}]/u.test(char) ? SMALL : SIGN;
}
