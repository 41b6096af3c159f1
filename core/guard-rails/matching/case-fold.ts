/**
 * The character that stands for all that differ from this one by case only: Unicode's simple case folding, as a regular
 * expression with the flags `iu` has it.
 * @param codePoint a code point, surrogates included
 */
export function foldCase(codePoint: number): number {
  if (codePoint < 128) return codePoint >= 65 && codePoint <= 90 ? codePoint + 32 : codePoint;
  const upper = single(String.fromCodePoint(codePoint).toUpperCase()) ?? codePoint;
  const lower = single(String.fromCodePoint(upper).toLowerCase()) ?? upper;
  if (lower === codePoint) return codePoint;
  // Case mapping joins more than folding does, such as the dotless ı with i: the engine's own folding decides.
  return new RegExp(`^\\u{${lower.toString(16)}}$`, "iu").test(String.fromCodePoint(codePoint))
    ? lower
    : codePoint;
}

/** The only character of a text; null where there are more, as in the upper case of ß. */
function single(text: string): number | null {
  const codePoint = text.codePointAt(0) ?? 0;
  return text.length === (codePoint > 0xffff ? 2 : 1) ? codePoint : null;
}
