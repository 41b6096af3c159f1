import { MATCH_WEIGHTS, TOKEN_FILTER, TOKEN_FILTER_BITS } from "./token-table.ts";

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
const WEIGHT_UNIT = 50;
const BLANK_PIECE = MATCH_WEIGHTS.length - 2;
const DIGIT_PIECE = MATCH_WEIGHTS.length - 1;

const kinds = new Uint8Array(65536);
let filter: Uint8Array | null = null;

/**
 * Estimates how many tokens of o200k_base a text has, without its 200,000 tokens: the text is cut into pieces by the
 * tokenizer's own rules, each piece into the longest tokens that a Bloom filter of the most used ones knows, and each
 * of these counts by a weight that was fitted for its script, length and place. In time linear in the text.
 */
export function estimateTokens(text: string): number {
  let weight = 0;
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at);
    const kind = kindAt(text, at);
    if (kind === DIGIT) weight += MATCH_WEIGHTS[DIGIT_PIECE] ?? 0;
    else if (isBlank(kind) && isBlank(kindAt(text, end - 1)))
      weight += MATCH_WEIGHTS[BLANK_PIECE] ?? 0;
    else weight += pieceWeight(text, at, end);
    at = end;
  }
  return text === "" ? 0 : Math.max(1, Math.round(weight / WEIGHT_UNIT));
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

function pieceWeight(text: string, start: number, end: number): number {
  let weight = 0;
  let previous = 0;
  for (let at = start; at < end;) {
    const length = longestToken(text, at, end, at === start && text.charCodeAt(at) === 32);
    const shown = length > 1 ? Math.min(end - 1, at + 1) : at;
    const script = text.charCodeAt(at + length - 1) === 32 ? 0 : scriptOf(text.charCodeAt(shown));
    const whole = at + length === end ? 0 : 1;
    const place = at === start ? whole : previous === 1 ? 3 : 2;
    const lengthClass = LENGTH_CLASS[length] ?? 0;
    weight += MATCH_WEIGHTS[(script * LENGTH_CLASSES + lengthClass) * 4 + place] ?? 0;
    previous = length;
    at += length;
  }
  return weight;
}

/** Tokens are known without the space before them and in small letters: most exist in all these forms. */
function longestToken(text: string, start: number, end: number, spaced: boolean): number {
  const first = spaced ? 2 : 1;
  const longest = text.charCodeAt(start) > 0x2e00 ? LONGEST_CJK : LONGEST + first - 1;
  const limit = Math.min(longest, end - start);
  let best = Math.min(first, end - start);
  let hash = 0;
  for (let length = first; length <= limit; length++) {
    const code = smallLetter(text.charCodeAt(start + length - 1));
    hash = Math.imul(hash ^ code, 0x9e3779b1) ^ (hash >>> 15);
    if (length === first) continue;
    if (mayBeToken(hash)) best = length;
    else if (length - best >= GAP) break;
  }
  return best;
}

function mayBeToken(hash: number): boolean {
  const bits = (filter ??= Uint8Array.from(atob(TOKEN_FILTER), (char) => char.charCodeAt(0)));
  const first = scramble(hash);
  const step = scramble(hash ^ 0x5bd1e995) | 1;
  for (let probe = 0; probe < 3; probe++) {
    const bit = ((first + Math.imul(probe, step)) >>> 0) % TOKEN_FILTER_BITS;
    if ((((bits[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 0) return false;
  }
  return true;
}

function scramble(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Latin and Cyrillic capitals as small letters, without the cost of `toLowerCase`. */
function smallLetter(code: number): number {
  const capital =
    (code >= 65 && code <= 90) ||
    (code >= 0xc0 && code <= 0xde) ||
    (code >= 0x410 && code <= 0x42f);
  return capital ? code + 32 : code;
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
