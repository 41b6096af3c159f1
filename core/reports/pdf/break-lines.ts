import type { Canvas, TextStyle } from "./canvas.ts";
import { clustersOf } from "./share-out.ts";

/** A line of a text: its characters from `start` up to `end`. */
export interface Line {
  start: number;
  end: number;
}

/** No line holds more; longer parts are not measured, since shaping a name of 20,000 letters takes seconds. */
const MOST_CHARACTERS = 300;

/** Of a letter with its accents, or of joined emoji; what is longer is cut. */
const LONGEST_CLUSTER = 32;

/** Where a line may end: after spaces, and after marks that join parts of a name. */
const BREAK_AFTER = /[\s/|_,;:\-–—]/;

const DIGIT = /\p{Decimal_Number}/u;
/** Characters that need no space between words; those beyond the basic plane are rare. */
const CHARACTER =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3001-\u301b\uff01-\uff1f]/u;
const NEVER_FIRST =
  /[\p{Close_Punctuation}\p{Final_Punctuation}\p{Other_Punctuation}\p{Mark}ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々…‥\p{Join_Control}\udc00-\udfff]/u;
const NEVER_LAST = /[\p{Open_Punctuation}\p{Initial_Punctuation}\ud800-\udbff\p{Join_Control}]/u;

/**
 * Breaks a text into lines that fit a width. A word that alone is wider is cut where it must be.
 * @param text as the bidi order is made of, so without marks that are never drawn
 */
export function breakLines(
  text: string,
  width: number,
  measure: { canvas: Canvas; style: TextStyle },
): Line[] {
  const { canvas, style } = measure;
  const widthOf = (start: number, end: number) =>
    end - start > MOST_CHARACTERS
      ? Number.POSITIVE_INFINITY
      : canvas.width(text.slice(start, end).trimEnd(), style);
  if (widthOf(0, text.length) <= width) return [{ start: 0, end: text.length }];
  const lines: Line[] = [];
  let start = 0;
  let taken = 0;
  for (const end of breakPlaces(text)) {
    if (widthOf(start, end) <= width) {
      taken = end;
      continue;
    }
    if (taken > start) {
      lines.push({ start, end: taken });
      start = taken;
    }
    while (widthOf(start, end) > width) {
      const most = Math.min(end, start + MOST_CHARACTERS);
      const cut = longestPart(text, { start, end: most }, (to) => widthOf(start, to) <= width);
      lines.push({ start, end: cut });
      start = cut;
    }
    taken = end;
  }
  if (start < text.length) lines.push({ start, end: text.length });
  return lines;
}

/**
 * A text in at most so many lines; what does not fit ends with an ellipsis.
 * @returns the text, cut where it had to be, and its lines
 */
export function fitLines(
  given: string,
  { width, lines: most }: { width: number; lines: number },
  measure: { canvas: Canvas; style: TextStyle },
): { text: string; lines: Line[] } {
  const text = given.slice(0, MOST_CHARACTERS * most);
  const lines = breakLines(text, width, measure);
  const last = lines[most - 1];
  if (lines.length <= most || last === undefined) return { text, lines };
  const { canvas, style } = measure;
  const head = text.slice(0, last.end).trimEnd();
  const fits = (to: number) => canvas.width(`${text.slice(last.start, to)}…`, style) <= width;
  const cut = fits(head.length)
    ? head.length
    : longestPart(head, { start: last.start, end: head.length }, fits);
  const shown = `${head.slice(0, cut)}…`;
  return {
    text: shown,
    lines: [...lines.slice(0, most - 1), { start: last.start, end: shown.length }],
  };
}

function* breakPlaces(text: string): Generator<number> {
  for (let index = 0; index < text.length - 1; index += 1) {
    const here = text[index] ?? "";
    const next = text[index + 1] ?? "";
    if (BREAK_AFTER.test(here) && !BREAK_AFTER.test(next)) {
      if (!isWithinNumber(text[index - 1] ?? "", here, next)) yield index + 1;
    } else if ((CHARACTER.test(here) || CHARACTER.test(next)) && mayPart(here, next))
      yield index + 1;
  }
  yield text.length;
}

/** Whether a comma, a colon or a hyphen stands between digits: 1,234 and 2026-10-01 are whole. */
function isWithinNumber(before: string, here: string, next: string): boolean {
  return /[,:-]/.test(here) && DIGIT.test(before) && DIGIT.test(next);
}

/** Between Chinese and Japanese characters a line may end, but not before what closes, nor after what opens. */
function mayPart(here: string, next: string): boolean {
  return !NEVER_FIRST.test(next) && !NEVER_LAST.test(here) && !/\s/.test(next);
}

/** The longest part from `start` that fits, by halving; one letter at least, and never a part of one. */
function longestPart(text: string, { start, end }: Line, fits: (to: number) => boolean): number {
  let low = start + 1;
  let high = end;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return wholeClusters(text, start, low);
}

/** The end of the last whole letter up to `end`; of the first, where none is whole. */
function wholeClusters(text: string, start: number, end: number): number {
  let last = start;
  // What stands behind the end may belong to the letter before it, as an accent does; a few characters tell.
  for (const cluster of clustersOf(text.slice(start, end + LONGEST_CLUSTER))) {
    const next = last + cluster.length;
    if (next > end && last > start) break;
    last = next;
    if (last >= end) break;
  }
  return last;
}
