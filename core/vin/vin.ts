/** The 33 characters of a VIN: digits and capitals without I, O and Q, which look like 1 and 0. */
export const VIN_CHARACTERS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ";
export const VIN_LENGTH = 17;

/** What each character counts for the check digit (49 CFR 565.15, table III). */
const VALUE_OF = new Map<string, number>(
  [
    "0", // counts 0, and so on down the list
    "1AJ",
    "2BKS",
    "3CLT",
    "4DMU",
    "5ENV",
    "6FW",
    "7GPX",
    "8HY",
    "9RZ",
  ].flatMap((characters, value) => [...characters].map((character) => [character, value] as const)),
);

/** What each position counts for the check digit (49 CFR 565.15, table IV); position 9 is the check digit itself. */
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/** Digits of other scripts, as Persian and Arabic keyboards type them. */
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9]/g;

/**
 * A VIN as people type or paste it, in its plain form: capitals, without spaces, hyphens, dots and invisible
 * characters, with digits of other scripts and full-width letters as plain ones. Never throws; what is no character of
 * a VIN stays, for the check to name.
 */
export function normaliseVin(text: string): string {
  return text
    .normalize("NFKC")
    .replaceAll(OTHER_DIGITS, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf)) // both rows of ten begin at …0
    .replaceAll(/[\s\-._*\p{Cf}\p{Pd}]/gu, "")
    .toUpperCase();
}

/**
 * The check digit that belongs in position 9: `0`–`9` or `X`.
 * @param vin 17 characters of VIN_CHARACTERS
 */
export function checkDigitOf(vin: string): string {
  let sum = 0;
  for (const [at, weight] of WEIGHTS.entries()) sum += weight * (VALUE_OF.get(vin.charAt(at)) ?? 0);
  const rest = sum % 11;
  return rest === 10 ? "X" : String(rest);
}

/** Whether the ninth character is the check digit. */
export function hasRightCheckDigit(vin: string): boolean {
  return vin.charAt(8) === checkDigitOf(vin);
}
