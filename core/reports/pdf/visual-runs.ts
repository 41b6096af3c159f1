import bidiFactory from "bidi-js";
import type { Direction } from "../report.ts";
import { clustersOf } from "./share-out.ts";

const bidi = bidiFactory();

/** Marks that steer the order of text and are never drawn. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
/** Letters that are written from right to left: Hebrew, Arabic and their neighbours, and the presentation forms. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/** Embeddings and overrides, which make letters read otherwise than they stand. Our own sentences use isolates. */
const STEERING = /[\u202a-\u202e]/g;

/** A paragraph whose order is known, so that each of its lines can be asked for. */
export interface OrderedText {
  text: string;
  levels: Uint8Array | null;
}

/**
 * Finds the order of a paragraph by the Unicode bidirectional algorithm (UAX 9).
 * @param base the paragraph's direction; `auto` takes that of its first letter
 */
export function orderText(given: string, base: Direction | "auto"): OrderedText {
  const text = given.replace(STEERING, "");
  if (base !== "rtl" && !RIGHT_TO_LEFT.test(text)) return { text, levels: null };
  return { text, levels: bidi.getEmbeddingLevels(inBasicPlane(text), base).levels };
}

/** Pairs of surrogates, which are one character. */
const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;
/** Of each bidi class that characters beyond the basic plane have, a pair of characters of that plane. */
const STAND_INS: Partial<Record<string, string>> = {
  L: "aa",
  R: "\u05d0\u05d0",
  AL: "\u0627\u0627",
  AN: "\u0660\u0660",
  EN: "00",
  NSM: "\u0300\u0300",
  ON: "\u2605\u2605",
};

/** bidi-js looks at halves of pairs, and takes an emoji for a Latin letter: a Persian name that begins with one would turn round. */
function inBasicPlane(text: string): string {
  return text.replace(PAIRS, (pair) => STAND_INS[bidi.getBidiCharTypeName(pair)] ?? pair);
}

/**
 * The runs of the characters from `start` up to `end`, from the left of the line to its right. Brackets of runs from
 * right to left are mirrored already; a run's letters stand in the order in which they are read, since shaping turns
 * them round (see `isFromRight`).
 */
export function visualRuns({ text, levels }: OrderedText, start = 0, end = text.length): string[] {
  if (start >= end) return [];
  if (levels === null) return visible([text.slice(start, end)]);
  const runs = logicalRuns(text, levels, start, end);
  // Rule L2: from the highest level down to 1, turn round each sequence of runs at that level or above.
  const highest = Math.max(...runs.map((run) => run.level));
  for (let level = highest; level >= 1; level -= 1) turnRound(runs, level);
  return visible(runs.map((run) => (run.level % 2 === 1 ? turned(run.text) : run.text)));
}

interface LevelRun {
  text: string;
  level: number;
}

function logicalRuns(text: string, levels: Uint8Array, start: number, end: number): LevelRun[] {
  const runs: LevelRun[] = [];
  let from = start;
  for (let index = start + 1; index <= end; index += 1) {
    if (index < end && levels[index] === levels[from]) continue;
    runs.push({ text: text.slice(from, index), level: levels[from] ?? 0 });
    from = index;
  }
  return runs;
}

function turnRound(runs: LevelRun[], level: number): void {
  let from: number | null = null;
  for (let index = 0; index <= runs.length; index += 1) {
    const run = runs[index];
    if (run !== undefined && run.level >= level) {
      from ??= index;
    } else if (from !== null) {
      runs.splice(from, index - from, ...runs.slice(from, index).reverse());
      from = null;
    }
  }
}

/** Letters are turned round by the shaping of their script; punctuation alone has no script, so it is turned here. */
function turned(text: string): string {
  const mirrored = Array.from(
    text,
    (character) => bidi.getMirroredCharacter(character) ?? character,
  );
  return isFromRight(text) ? mirrored.join("") : clustersOf(mirrored.join("")).reverse().join("");
}

/** Whether a run is drawn from right to left. */
export function isFromRight(run: string): boolean {
  if (!RIGHT_TO_LEFT.test(run)) return false;
  for (const character of run) {
    if (!RIGHT_TO_LEFT.test(character)) continue;
    // Digits and commas stand in those blocks too, and are ordered otherwise.
    const type = bidi.getBidiCharTypeName(character);
    if (type === "R" || type === "AL") return true;
  }
  return false;
}

/** A text without the marks that are never drawn. */
export function drawn(text: string): string {
  return text.replace(INVISIBLE, "");
}

function visible(runs: string[]): string[] {
  return runs.map(drawn).filter((run) => run !== "");
}
