/** What only changes how the character before it looks; where a font has no glyph for it, it is left out. */
const MODIFIERS: readonly (readonly [from: number, to: number])[] = [
  [0x200c, 0x200d], // joiners
  [0xfe00, 0xfe0f], // variants, such as "in colour"
  [0x1f3fb, 0x1f3ff], // tones of skin
  [0xe0000, 0xe01ef], // tags, as of flags
];
/** Stands where no font has a letter, so that a reader sees that something is there. */
const REPLACEMENT = "\ufffd";
const SPACE = /\s/;
/** What is never drawn: control and format characters. */
const NOTHING = /[\p{Cc}\p{Cf}]/u;

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

/** What readers take for one letter each: with its accents, tones of skin and joined emoji. */
export function clustersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** A part of a text, and which font draws it; without one it is drawn by the first. */
export interface Share<T> {
  font: T | null;
  text: string;
}

/**
 * Which fonts draw a text that no font may have whole: the first that has all of it, else letter by letter the first
 * that has what is drawn of it. A letter that none has is taken apart as Unicode says (`𝗔` is an `A`), and after that
 * replaced by a sign that is seen.
 * @param fonts in the order in which they are asked
 */
export function shareOut<T>(
  text: string,
  fonts: readonly T[],
  has: (font: T, codePoint: number) => boolean,
): Share<T>[] {
  const characters = [...text];
  const hasAll = (wanted: readonly string[]) =>
    fonts.find((font) => wanted.every((character) => has(font, pointOf(character))));
  const whole = hasAll(characters);
  if (whole !== undefined) return [{ font: whole, text }];
  const clusters = clustersOf(text);
  if (clusters.length > 1) return clusters.flatMap((cluster) => shareOut(cluster, fonts, has));
  const seen = characters.filter((character) => !isModifier(character));
  const font = seen.length === 0 ? undefined : hasAll(seen);
  if (font !== undefined) return [{ font, text: seen.join("") }];
  return seen.flatMap((character): Share<T>[] => {
    const alone = hasAll([character]);
    if (alone !== undefined) return [{ font: alone, text: character }];
    if (SPACE.test(character)) return [{ font: null, text: " " }];
    if (NOTHING.test(character)) return [];
    const plain = plainOf(character);
    if (plain !== character) return shareOut(plain, fonts, has);
    return [{ font: null, text: REPLACEMENT }];
  });
}

/** What a character is made of, such as the letters of `㎏`; itself where it is made of nothing else. */
export function plainOf(character: string): string {
  return character.normalize("NFKC");
}

/** Whether a share stands for a letter that no font has. */
export function isReplaced({ font, text }: Share<unknown>): boolean {
  return font === null && text === REPLACEMENT;
}

function pointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function isModifier(character: string): boolean {
  const point = pointOf(character);
  return MODIFIERS.some(([from, to]) => point >= from && point <= to);
}
