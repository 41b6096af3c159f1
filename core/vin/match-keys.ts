/** How a pattern of vPIC fits a VIN. */
export interface KeysMatch {
  /** How many characters it asks for by name, a set or a range; wildcards ask for nothing. */
  specific: number;
  /** A bit for each position of the VIN that it asks for: bit 0 is position 1. */
  positions: number;
}

/** Position of the VIN, from 1, of the first character of keys, and of the first one behind the bar. */
const FIRST = 4;
const CHECK_DIGIT = 9;
const BEHIND_BAR = 10;
const LAST = 17;

/**
 * Matches vPIC's keys with a VIN. They stand for positions 4 to 8 and, behind a bar, for those from 10 on: a character
 * for itself, `*` for any, `[A-CX]` for one of a set, `#` for a digit. What they leave out at the end may be anything.
 * @param keys such as `RF52*|*M`
 * @param vin 17 characters
 * @returns null where they do not fit
 */
export function matchKeys(keys: string, vin: string): KeysMatch | null {
  let position = FIRST;
  let specific = 0;
  let positions = 0;
  for (let at = 0; at < keys.length; at++) {
    const key = keys.charAt(at);
    if (key === "|") {
      position = BEHIND_BAR;
      continue;
    }
    if (position > LAST) return null;
    const character = vin.charAt(position - 1);
    if (key === "[") {
      const end = keys.indexOf("]", at);
      if (end < 0 || !isInSet(keys.slice(at + 1, end), character)) return null;
      at = end;
    } else if (key === "#") {
      if (character < "0" || character > "9") return null;
    } else if (key !== "*" && key !== character) return null;
    if (key !== "*") {
      if (position === CHECK_DIGIT) return null; // some keys have a wildcard too many there, and none means it
      specific++;
      positions |= 1 << (position - 1);
    }
    position++;
  }
  return { specific, positions };
}

/** `A-CX` has A, B, C and X. */
function isInSet(set: string, character: string): boolean {
  for (let at = 0; at < set.length; at++) {
    const from = set.charAt(at);
    const isRange = set.charAt(at + 1) === "-" && at + 2 < set.length;
    if (isRange ? character >= from && character <= set.charAt(at + 2) : character === from)
      return true;
    if (isRange) at += 2;
  }
  return false;
}
