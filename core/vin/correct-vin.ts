import { yearCodeIsUsed } from "./model-year.ts";
import { needsCheckDigit } from "./regions.ts";
import { hasRightCheckDigit, VIN_CHARACTERS, VIN_LENGTH } from "./vin.ts";

/** What a letter that no VIN has was meant to be, the likelier first. */
const MEANT: Readonly<Record<string, string>> = { I: "1", O: "0D", Q: "0" };

/** Characters that are taken for each other, by eye or by a reader of pictures, the likeliest first. */
const LOOKALIKES = [
  ["S5", "B8", "Z2", "0D", "1L", "1T", "G6", "UV"],
  ["17", "4A", "38", "56", "68", "MN", "VY", "27", "EF", "PR", "CG", "0C", "HN", "WV", "XK"],
];

/** What a correction costs: the less, the likelier. */
const COST = { meant: 1, otherMeant: 2, lookalike: 3, doubled: 3, exchanged: 4, digit: 4, rare: 5 };
/** What speaks against a candidate besides. */
const COST_OF_LETTERS_IN_SERIAL = 4;
const COST_OF_NO_YEAR = 6;

/** How many are looked at further. */
const MOST_CANDIDATES = 24;

interface Candidate {
  vin: string;
  cost: number;
}

/**
 * The VINs that a wrong one may have been, the likeliest first: with what I, O and Q stand for, one character taken for
 * one that looks like it, two neighbours exchanged, one doubled or lost by doubling, or a wrong check digit. Each is of
 * 17 characters of a VIN and, where a check digit is required, has the right one. Never throws.
 * @param vin in its plain form, of any length
 */
export function correctVin(vin: string): string[] {
  if (Math.abs(vin.length - VIN_LENGTH) > 1) return [];
  const starts = resize(readMeant({ vin, cost: 0 }));
  const best = new Map<string, number>();
  const add = ({ vin: found, cost }: Candidate) => {
    if (found === vin || !isRight(found)) return;
    const whole = cost + oddity(found);
    if (whole < (best.get(found) ?? Infinity)) best.set(found, whole);
  };
  for (const start of starts) {
    if (start.vin.length !== VIN_LENGTH) continue;
    add(start);
    if (!needsCheckDigit(start.vin)) continue; // nothing tells a good change from a bad one
    for (const changed of oneChange(start)) if (hasRightCheckDigit(changed.vin)) add(changed);
  }
  return [...best]
    .toSorted(([some, cost], [other, otherCost]) => cost - otherCost || (some < other ? -1 : 1))
    .slice(0, MOST_CANDIDATES)
    .map(([found]) => found);
}

function isRight(vin: string): boolean {
  for (const character of vin) if (!VIN_CHARACTERS.includes(character)) return false;
  return !needsCheckDigit(vin) || hasRightCheckDigit(vin);
}

/** With each I, O and Q read as what it looks like; none where another character is wrong. */
function readMeant(start: Candidate): Candidate[] {
  let read = [{ vin: "", cost: start.cost }];
  for (const character of start.vin) {
    if (VIN_CHARACTERS.includes(character)) {
      read = read.map(({ vin, cost }) => ({ vin: vin + character, cost }));
      continue;
    }
    const [first, second] = MEANT[character] ?? "";
    if (first === undefined) return [];
    const [likely] = read; // the less likely reading of one character only, lest they multiply
    read = read.map(({ vin, cost }) => ({ vin: vin + first, cost: cost + COST.meant }));
    if (second !== undefined && likely)
      read.push({ vin: likely.vin + second, cost: likely.cost + COST.otherMeant });
  }
  return read;
}

/** Made 17 characters long: one of two equal neighbours was typed too often, or once too few, or one too many came in. */
function resize(starts: Candidate[]): Candidate[] {
  return starts.flatMap(({ vin, cost }) => {
    if (vin.length === VIN_LENGTH) return [{ vin, cost }];
    const isLong = vin.length > VIN_LENGTH;
    return [...vin].map((character, at) => {
      if (!isLong)
        return { vin: vin.slice(0, at) + character + vin.slice(at), cost: cost + COST.doubled };
      const doubled = vin.charAt(at + 1) === character;
      const without = vin.slice(0, at) + vin.slice(at + 1);
      return { vin: without, cost: cost + (doubled ? COST.doubled : COST.rare) };
    });
  });
}

/** All VINs that are one usual mistake away. */
function oneChange({ vin, cost }: Candidate): Candidate[] {
  const found: Candidate[] = [];
  const change = (at: number, characters: string, more: number) =>
    found.push({
      vin: vin.slice(0, at) + characters + vin.slice(at + characters.length),
      cost: cost + more,
    });
  for (let at = 0; at < vin.length; at++) {
    const character = vin.charAt(at);
    for (const [rank, pairs] of LOOKALIKES.entries()) {
      for (const pair of pairs) {
        if (!pair.includes(character)) continue;
        change(at, pair.replace(character, ""), rank === 0 ? COST.lookalike : COST.rare);
      }
    }
    if (at + 1 < vin.length) change(at, vin.charAt(at + 1) + character, COST.exchanged);
  }
  for (const digit of "0123456789X") change(8, digit, COST.digit);
  return found;
}

/** What makes a VIN unlikely though its check digit is right: no year, or letters among the last four. */
function oddity(vin: string): number {
  const letters = /[A-Z]/.test(vin.slice(13)) ? COST_OF_LETTERS_IN_SERIAL : 0;
  return letters + (yearCodeIsUsed(vin) ? 0 : COST_OF_NO_YEAR);
}
