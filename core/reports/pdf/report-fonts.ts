import { BoundedMap } from "../../kernel/bounded-map.ts";
import { DocumentFonts, type FallbackFont, type FontWeight } from "./document-fonts.ts";
import { FontCoverage, type FontSlice, hanFormsOf, type KnownSlices } from "./font-coverage.ts";
import { type FontFileReader, MOST_FONT_FILES } from "./font-files.ts";
import { ShapingFont } from "./shaping-font.ts";
import { plainOf, shareOut } from "./share-out.ts";
import { unitsOf } from "./text-units.ts";

/** TrueType files with Latin and Persian. */
export interface FontFiles {
  regular: Uint8Array;
  bold: Uint8Array;
}

/** What a document is going to draw. */
export interface DocumentTexts {
  /** All that comes from data. */
  all: Iterable<string>;
  /** Those that are drawn bold too. */
  bold: readonly string[];
}

/** Slices that one document may use, of some 70 KB each; those that most letters need go first. */
const MOST_SLICES = 120;
/** Slices that an isolate keeps. */
const REMEMBERED_SLICES = 40;

/** What a text's units ask for, each once. */
type Wanted = Map<string, { unit: string; text: string }>;

/**
 * The fonts of reports, parsed once an isolate: they hold nothing of a document, so every document may use them. What
 * is remembered of earlier documents is the shape of words, and which further fonts they needed.
 */
export class ReportFonts {
  readonly #base: Record<FontWeight, ShapingFont>;
  readonly #coverage = new FontCoverage();
  readonly #slices = new BoundedMap<string, ShapingFont>(REMEMBERED_SLICES);

  constructor(files: FontFiles) {
    this.#base = {
      regular: new ShapingFont("regular", files.regular),
      bold: new ShapingFont("bold", files.bold),
    };
  }

  /**
   * The fonts for a document: those that are always there, and of the others what its texts need. Nothing is read for
   * a document in Latin and Persian.
   */
  async forDocument({ all, bold }: DocumentTexts, read: FontFileReader): Promise<DocumentFonts> {
    const wanted = this.#wantedBy(all);
    if (wanted.size === 0) return new DocumentFonts(this.#base, []);
    const known = await this.#coverage.of(this.#pointsOf(wanted), read);
    const files = [
      ...this.#choose(wanted, known).map((slice) => ({ slice, weight: "regular" as const })),
      ...this.#choose(this.#wantedBy(bold), known)
        .filter((slice) => slice.bold)
        .map((slice) => ({ slice, weight: "bold" as const })),
    ];
    const document = new DocumentFonts(this.#base, await this.#open(files, read));
    for (const { unit, text } of wanted.values()) document.look(unit, hanFormsOf(text));
    return document;
  }

  #wantedBy(texts: Iterable<string>): Wanted {
    const wanted: Wanted = new Map();
    for (const text of texts) {
      if (this.#base.regular.covers(text)) continue;
      const han = hanFormsOf(text);
      for (const unit of unitsOf(text))
        if (!this.#base.regular.covers(unit)) wanted.set(`${han} ${unit}`, { unit, text });
    }
    return wanted;
  }

  *#pointsOf(wanted: Wanted): Generator<number> {
    for (const { unit } of wanted.values())
      for (const character of unit + plainOf(unit)) yield character.codePointAt(0) ?? 0;
  }

  /** The slices that are needed, those that most units need first. */
  #choose(wanted: Wanted, known: KnownSlices): FontSlice[] {
    const uses = new Map<FontSlice, number>();
    for (const { unit, text } of wanted.values()) {
      const fonts = [this.#base.regular, ...known.inOrder(hanFormsOf(text))];
      const shares = shareOut(unit, fonts, (font, point) =>
        font instanceof ShapingFont ? font.has(point) : known.has(font, point),
      );
      for (const { font } of shares)
        if (font !== null && !(font instanceof ShapingFont))
          uses.set(font, (uses.get(font) ?? 0) + 1);
    }
    return [...uses]
      .sort(([, one], [, other]) => other - one)
      .slice(0, MOST_SLICES)
      .map(([slice]) => slice);
  }

  async #open(
    files: readonly { slice: FontSlice; weight: FontWeight }[],
    read: FontFileReader,
  ): Promise<FallbackFont[]> {
    const named = files.map(({ slice, weight }) => ({
      slice,
      weight,
      name: `${slice.name}-${weight === "bold" ? 700 : 400}`,
    }));
    const open = new Map(named.map(({ name }) => [name, this.#slices.get(name) ?? null]));
    const closed = [...open].flatMap(([name, font]) => (font === null ? [name] : []));
    for (let from = 0; from < closed.length; from += MOST_FONT_FILES) {
      const names = closed.slice(from, from + MOST_FONT_FILES);
      const contents = await read(names.map((name) => `${name}.ttf`));
      for (const [index, name] of names.entries()) {
        const bytes = contents[index] ?? null;
        if (bytes === null) continue;
        const font = new ShapingFont(name, bytes);
        this.#slices.set(name, font);
        open.set(name, font);
      }
    }
    return named.flatMap(({ slice, weight, name }) => {
      const font = open.get(name) ?? null;
      return font === null ? [] : [{ ...slice, weight, font }];
    });
  }
}
