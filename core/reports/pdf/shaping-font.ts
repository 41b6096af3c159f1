import { create, type Font, type Glyph, type GlyphPosition, type GlyphRun } from "fontkit";
import { BoundedMap } from "../../kernel/bounded-map.ts";
import { isFromRight } from "./visual-runs.ts";

/**
 * Numbers with their signs. Their characters stand side by side as they are: nothing is joined, and digits that were
 * moved closer would no longer stand below each other. They are most of a report, and few come twice.
 */
const NUMBER = /^[\d.,%+\-\u2212\u2013$\u20ac\u00a3\u00d7\u06f0-\u06f9\u066a-\u066c]+$/;
/** Words whose glyphs are remembered, a font: some 1 KiB each. */
const REMEMBERED_WORDS = 4_000;

/** A font whose words are shaped once. */
export class ShapingFont {
  readonly name: string;
  readonly font: Font;
  readonly #scale: number;
  readonly #words = new BoundedMap<string, GlyphRun>(REMEMBERED_WORDS);
  readonly #covered = new Map<number, boolean>();
  readonly #shape: Font["layout"];

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.font = create(bytes);
    this.#scale = 1000 / this.font.unitsPerEm;
    this.#shape = this.font.layout.bind(this.font);
    // pdfkit asks the font itself for glyphs, and would shape each run anew.
    this.font.layout = (text) => this.#layout(text);
  }

  covers(text: string): boolean {
    for (const character of text) {
      if (!this.has(character.codePointAt(0) ?? 0)) return false;
    }
    return true;
  }

  has(codePoint: number): boolean {
    let known = this.#covered.get(codePoint);
    if (known === undefined) {
      known = this.font.hasGlyphForCodePoint(codePoint);
      // At most the characters of Unicode's own planes that reports have used; bounded all the same.
      if (this.#covered.size < REMEMBERED_WORDS) this.#covered.set(codePoint, known);
    }
    return known;
  }

  /** In thousandths of the size. */
  width(text: string): number {
    let width = 0;
    for (const word of wordsOf(text)) width += this.#word(word).advanceWidth;
    return width * this.#scale;
  }

  /** Spaces join nothing, so a run is its words side by side, from right to left where its letters go so. */
  #layout(text: string): GlyphRun {
    const words = wordsOf(text).map((word) => this.#word(word));
    if (isFromRight(text)) words.reverse();
    const glyphs: Glyph[] = [];
    const positions: GlyphPosition[] = [];
    let advanceWidth = 0;
    for (const word of words) {
      glyphs.push(...word.glyphs);
      // pdfkit scales what it is given in place.
      for (const { xAdvance, yAdvance, xOffset, yOffset } of word.positions)
        positions.push({ xAdvance, yAdvance, xOffset, yOffset });
      advanceWidth += word.advanceWidth;
    }
    return { glyphs, positions, advanceWidth };
  }

  #number(text: string): GlyphRun {
    const glyphs: Glyph[] = [];
    const positions: GlyphPosition[] = [];
    let advanceWidth = 0;
    for (const character of text) {
      const one = this.#word(character);
      glyphs.push(...one.glyphs);
      positions.push(...one.positions);
      advanceWidth += one.advanceWidth;
    }
    return { glyphs, positions, advanceWidth };
  }

  #word(word: string): GlyphRun {
    if (word.length > 1 && NUMBER.test(word)) return this.#number(word);
    const known = this.#words.get(word);
    if (known !== undefined) return known;
    const direction = isFromRight(word) ? "rtl" : "ltr";
    const run = this.#shape(word, undefined, undefined, undefined, direction);
    const glyphs = direction === "rtl" ? run.glyphs.map(readBackwards) : run.glyphs;
    const shaped = { glyphs, positions: run.positions, advanceWidth: run.advanceWidth };
    this.#words.set(word, shaped);
    return shaped;
  }
}

/**
 * Programs that read a PDF's text turn round what stands from right to left, character by character, and a ligature's
 * characters with it; so they are told backwards.
 */
function readBackwards(glyph: Glyph): Glyph {
  if (glyph.codePoints.length < 2) return glyph;
  const { id, advanceWidth, codePoints } = glyph;
  return { id, advanceWidth, codePoints: [...codePoints].reverse() };
}

/** Words and the spaces between them; each space is a word of its own. */
function wordsOf(text: string): string[] {
  return text.split(/( )/).filter((word) => word !== "");
}
