import type { Font } from "fontkit";
import { BoundedMap } from "../../kernel/bounded-map.ts";
import { byPreference, type FontSlice, type HanForms, hanFormsOf } from "./font-coverage.ts";
import type { ShapingFont } from "./shaping-font.ts";
import { clustersOf, isReplaced, type Share, shareOut } from "./share-out.ts";
import { unitsOf } from "./text-units.ts";
import { isFromRight } from "./visual-runs.ts";

export type FontWeight = "regular" | "bold";

/** A font for letters that the report's own lacks. */
export interface FallbackFont extends FontSlice {
  weight: FontWeight;
  font: ShapingFont;
}

/** A part of a run that one font has the glyphs for. */
export interface FontPiece {
  /** As it is registered with a document. */
  font: string;
  text: string;
  /** In thousandths of the font's size. */
  width: number;
  /** Whether it is drawn with an outline, since it is to be bold and the font has no bold letters. */
  outlined: boolean;
}

/** Units whose fonts are remembered. */
const REMEMBERED_UNITS = 4_000;

/** The fonts of one document. */
export class DocumentFonts {
  readonly #missing = new Set<string>();
  readonly #base: Record<FontWeight, ShapingFont>;
  readonly #fallbacks: readonly FallbackFont[];
  readonly #thin: ReadonlySet<ShapingFont>;
  readonly #chains = new Map<string, readonly ShapingFont[]>();
  readonly #shares = new BoundedMap<string, Share<ShapingFont>[]>(REMEMBERED_UNITS);

  constructor(base: Record<FontWeight, ShapingFont>, fallbacks: readonly FallbackFont[]) {
    this.#base = base;
    this.#fallbacks = fallbacks;
    // Emoji and signs are pictures, which are not bold.
    this.#thin = new Set(
      fallbacks.flatMap(({ han, bold, font }) => (han !== null && !bold ? [font] : [])),
    );
  }

  /** Letters that were looked for and that no font has; a sign stands in their place. */
  get missing(): string[] {
    return [...this.#missing];
  }

  /** Looks for the fonts of a part of a text. */
  look(unit: string, han: HanForms): void {
    if (this.#share(unit, "regular", han).some(isReplaced)) this.#missing.add(unit);
  }

  /** Every font, to be registered with a document; only those that are used get into its file. */
  all(): { name: string; font: Font }[] {
    const fallbacks = this.#fallbacks.map(({ font }) => font);
    return [this.#base.regular, this.#base.bold, ...fallbacks].map(({ name, font }) => ({
      name,
      font,
    }));
  }

  /** The pieces of a visual run, from left to right. */
  pieces(run: string, weight: FontWeight): FontPiece[] {
    const base = this.#base[weight];
    if (base.covers(run))
      return [{ font: base.name, text: run, width: base.width(run), outlined: false }];
    const han = hanFormsOf(run);
    const shares = unitsOf(run).flatMap((unit) => this.#share(unit, weight, han));
    const pieces = joined(shares, base);
    const fromRight = isFromRight(run);
    if (fromRight) pieces.reverse();
    return pieces.map(({ font, text: read }) => {
      // Letters are turned round by their shaping; emoji and signs among them are turned here.
      const text = fromRight && !isFromRight(read) ? clustersOf(read).reverse().join("") : read;
      const outlined = weight === "bold" && this.#thin.has(font);
      return { font: font.name, text, width: font.width(text), outlined };
    });
  }

  #share(unit: string, weight: FontWeight, han: HanForms): Share<ShapingFont>[] {
    const key = `${weight} ${han} ${unit}`;
    const known = this.#shares.get(key);
    if (known !== undefined) return known;
    const fonts = [this.#base[weight], ...this.#chain(weight, han)];
    const shares = shareOut(unit, fonts, (font, point) => font.has(point));
    this.#shares.set(key, shares);
    return shares;
  }

  /** The other fonts in the order in which they are asked; where bold ones lack a letter, regular ones have it. */
  #chain(weight: FontWeight, han: HanForms): readonly ShapingFont[] {
    const key = `${weight} ${han}`;
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      const ofWeight = (wanted: FontWeight) =>
        this.#fallbacks.filter((fallback) => fallback.weight === wanted);
      const wanted =
        weight === "bold" ? [...ofWeight("bold"), ...ofWeight("regular")] : ofWeight("regular");
      chain = byPreference(wanted, han).map(({ font }) => font);
      this.#chains.set(key, chain);
    }
    return chain;
  }
}

/** Neighbours of the same font as one piece, so that their letters are joined. */
function joined(
  shares: readonly Share<ShapingFont>[],
  base: ShapingFont,
): { font: ShapingFont; text: string }[] {
  const pieces: { font: ShapingFont; text: string }[] = [];
  for (const { font, text } of shares) {
    const last = pieces.at(-1);
    const drawnBy = font ?? base;
    if (last?.font === drawnBy) last.text += text;
    else pieces.push({ font: drawnBy, text });
  }
  return pieces;
}
