import { z } from "zod";
import { BoundedMap } from "../../kernel/bounded-map.ts";
import type { FontFileReader } from "./font-files.ts";

/** Code points of a file of coverage; the same number as in scripts/cut-report-fonts.mjs. */
const BLOCK_BITS = 12;
/** There are some 35. */
const REMEMBERED_BLOCKS = 48;

/** Whose forms the Chinese characters of a font have: simplified Chinese, Japanese, Korean. */
export type HanForms = "sc" | "jp" | "kr";

/** A font's file, with some of its letters. */
export interface FontSlice {
  name: string;
  /** Those with less are asked first. */
  order: number;
  han: HanForms | null;
  /** Whether there is a bold one too. */
  bold: boolean;
}

const block = z.array(
  z.object({
    name: z.string(),
    order: z.number(),
    han: z.enum(["sc", "jp", "kr"]).nullable(),
    bold: z.boolean(),
    /** From, to, from, to …; in order, both ends included. */
    ranges: z.array(z.number()),
  }),
);
type SliceOfBlock = z.output<typeof block>[number];
/** Slices by their names. */
type Block = ReadonlyMap<string, SliceOfBlock>;

/** Which slices there are, and the letters they have, for the blocks of code points that were asked for. */
export class FontCoverage {
  readonly #blocks = new BoundedMap<number, Block>(REMEMBERED_BLOCKS);

  /** @returns what is known of the blocks that these code points are in */
  async of(points: Iterable<number>, read: FontFileReader): Promise<KnownSlices> {
    const wanted = [...new Set(Array.from(points, (point) => point >> BLOCK_BITS))];
    const known = new Map<number, Block>();
    const missing = wanted.filter((number) => {
      const kept = this.#blocks.get(number);
      if (kept !== undefined) known.set(number, kept);
      return kept === undefined;
    });
    const files =
      missing.length === 0
        ? []
        : await read(missing.map((number) => `block-${number.toString(16)}.json`));
    for (const [index, number] of missing.entries()) {
      const bytes = files[index] ?? null;
      if (bytes === null) continue; // no font has any of its letters
      const slices = block.parse(JSON.parse(new TextDecoder().decode(bytes)));
      const parsed = new Map(slices.map((slice) => [slice.name, slice]));
      this.#blocks.set(number, parsed);
      known.set(number, parsed);
    }
    return new KnownSlices(known);
  }
}

/** The slices of some blocks. */
export class KnownSlices {
  readonly #blocks: ReadonlyMap<number, Block>;
  readonly #slices: FontSlice[];

  constructor(blocks: ReadonlyMap<number, Block>) {
    this.#blocks = blocks;
    this.#slices = [...new Map([...blocks.values()].flatMap((block) => [...block])).values()];
  }

  /** In the order in which they are asked for a letter, where Chinese characters are to have these forms. */
  inOrder(han: HanForms): FontSlice[] {
    return byPreference(this.#slices, han);
  }

  has({ name }: FontSlice, point: number): boolean {
    const ranges = this.#blocks.get(point >> BLOCK_BITS)?.get(name)?.ranges;
    return ranges !== undefined && isWithin(ranges, point);
  }
}

function isWithin(ranges: readonly number[], point: number): boolean {
  for (let index = 0; index < ranges.length; index += 2)
    if (point >= (ranges[index] ?? 0) && point <= (ranges[index + 1] ?? 0)) return true;
  return false;
}

/** The order in which fonts are asked, where Chinese characters are to have these forms. */
export function byPreference<T extends FontSlice>(slices: readonly T[], han: HanForms): T[] {
  const rank = (slice: T) => (slice.han === null ? 0 : slice.han === han ? 1 : 2);
  return slices.toSorted((one, other) => rank(one) - rank(other) || one.order - other.order);
}

const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const HANGUL = /\p{Script=Hangul}/u;

/** Which forms the Chinese characters of a text should have, by the letters that stand with them. */
export function hanFormsOf(text: string): HanForms {
  if (KANA.test(text)) return "jp";
  return HANGUL.test(text) ? "kr" : "sc";
}
