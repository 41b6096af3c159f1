import { normaliseVin, VIN_LENGTH } from "./vin.ts";

/** Words that stand before a VIN, in the languages of the bot. */
const LABEL =
  /^\s*(?:v\.?i\.?n\.?|fin|fahrgestellnummer|chassis|شاسی|شماره\s*شاسی|وین)\s*[:：#=-]?\s+/iu;
const SEPARATORS = /[\s,;،؛|]+/u;
/** How far the length of a text may be off for somebody to have meant a VIN. */
const OFF_BY = 2;
const FEWEST_DIGITS = 4;
const FEWEST_LETTERS = 2;

/**
 * The VINs of a text that is nothing but VINs: one, however it is spaced, or several between spaces, commas or lines.
 * Mistyped ones are among them, so that somebody can be told what is wrong with them.
 * @returns null for a text that says anything else, such as a sentence with a VIN in it
 */
export function findVins(text: string): string[] | null {
  const bare = text.replace(LABEL, "").trim();
  if (bare === "") return null;
  if (isLikeOne(bare, 0)) return [bare];
  const parts = bare
    .split(SEPARATORS)
    .map((part) => part.replace(/^[•*\d]{1,3}[.)]$/u, "")) // the numbers of a list
    .filter((part) => part !== "");
  if (parts.length === 1) return isLikeOne(bare, OFF_BY) ? [bare] : null;
  if (parts.every((part) => isLikeOne(part, OFF_BY))) return parts;
  // One VIN in groups, with a character too many or too few.
  return isLikeOne(bare, OFF_BY) && parts.length <= 6 ? [bare] : null;
}

function isLikeOne(text: string, offBy: number): boolean {
  if (text.length > 4 * VIN_LENGTH) return false;
  const vin = normaliseVin(text);
  if (Math.abs(vin.length - VIN_LENGTH) > offBy || !/^[0-9A-Z]+$/.test(vin)) return false;
  const digits = vin.replaceAll(/\D/g, "").length;
  return digits >= FEWEST_DIGITS && vin.length - digits >= FEWEST_LETTERS;
}
