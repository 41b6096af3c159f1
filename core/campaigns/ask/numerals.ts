import { readNumberWords } from "./number-words.ts";
import { readDates } from "./written-dates.ts";
import { withPlainDigits } from "./plain-digits.ts";

/** A number that stands in a text. */
export interface Numeral {
  /** Where, in the original. */
  start: number;
  end: number;
  text: string;
  /**
   * What it can mean, without its sign: `1.234` is two things. Empty for what is a number and cannot be read, such as ½.
   */
  readings: Reading[];
}

export type Reading =
  | {
      kind: "number";
      value: number;
      /** How far the number meant may be away: half of the last digit that is written; 0 for words. */
      tolerance: number;
      percent: boolean;
    }
  /** A share of something as a word, such as "doubled". */
  | { kind: "factor"; value: number }
  | { kind: "date"; year: number | null; month: number | null; day: number | null };

const MULTIPLES: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  هزار: 1e3,
  m: 1e6,
  mio: 1e6,
  million: 1e6,
  millions: 1e6,
  میلیون: 1e6,
  b: 1e9,
  bn: 1e9,
  billion: 1e9,
  billions: 1e9,
  میلیارد: 1e9,
};

const DIGITS = /\d+(?:[eE][+-]?\d+)|\d{1,3}(?:[ '’_]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*/g;
const SUFFIX =
  /^(?:[ \u200c-]?(k|m|mio|bn|b|thousand|millions?|billions?|هزار|میلیون|میلیارد)(?![\p{L}\p{N}]))?(?:\s?(%|percent(?:age points?)?(?!\p{L})|per ?cent(?!\p{L})|pp(?!\p{L})|درصد|واحد درصد))?/iu;
/** ½, ², ①, Ⅳ: numbers that are no digits. */
const ODD_NUMBERS = /[\p{No}\p{Nl}]+/gu;

/** All numbers of a text, in their order: in digits of any script, in words, and as dates. None overlaps another. */
export function readNumerals(original: string): Numeral[] {
  const plain = withPlainDigits(original);
  const found: Numeral[] = [];
  const take = (start: number, end: number, readings: Reading[]) => {
    const from = plain.at[start] ?? 0;
    const to = plain.at[end] ?? original.length;
    if (found.some((other) => from < other.end && other.start < to)) return;
    found.push({ start: from, end: to, text: original.slice(from, to), readings });
  };
  for (const { start, end, date } of readDates(plain.text))
    take(start, end, [{ kind: "date", ...date }]);
  for (const match of plain.text.matchAll(DIGITS)) {
    const end = match.index + match[0].length;
    const suffix = SUFFIX.exec(plain.text.slice(end));
    const multiple = MULTIPLES[suffix?.[1]?.toLowerCase() ?? ""] ?? 1;
    const percent = suffix?.[2] !== undefined;
    const isSuffixed = multiple !== 1 || percent;
    const readings = readingsOf(match[0], multiple, percent);
    take(match.index, isSuffixed ? end + (suffix?.[0].length ?? 0) : end, readings);
  }
  for (const match of plain.text.matchAll(ODD_NUMBERS))
    take(match.index, match.index + match[0].length, []);
  for (const { start, end, reading } of readNumberWords(plain.text)) take(start, end, [reading]);
  return found.toSorted((one, other) => one.start - other.start);
}

/** What digits can mean: points and commas group or part, as it is done here or there. */
function readingsOf(digits: string, multiple: number, percent: boolean): Reading[] {
  const bare = digits.replaceAll(/[ '’_]/g, "");
  return meaningsOf(bare).flatMap((text) => {
    const value = Number(text) * multiple;
    if (!Number.isFinite(value)) return [];
    const decimals = /\.(\d+)$/.exec(text)?.[1]?.length ?? 0;
    const tolerance = 0.5 * 10 ** -decimals * multiple;
    return [{ kind: "number" as const, value, tolerance, percent }]; // `as const` keeps which reading it is
  });
}

/** The numbers that digits with points and commas can be, as JavaScript writes them. */
function meaningsOf(bare: string): string[] {
  const signs = bare.replaceAll(/[^.,]/g, "");
  if (signs === "" || /[eE]/.test(bare)) return [bare];
  const parts = bare.split(/[.,]/);
  const whole = parts.slice(0, -1);
  const last = parts.at(-1) ?? "";
  const isOneSign = new Set(signs).size === 1;
  return [
    ...(isOneSign && areGroups(parts) ? [parts.join("")] : []),
    ...(signs.length === 1 ? [`${whole.join("")}.${last}`] : []),
    // Groups by one sign, decimals behind the other.
    ...(!isOneSign && new Set(signs.slice(0, -1)).size === 1 && areGroups(whole)
      ? [`${whole.join("")}.${last}`]
      : []),
  ];
}

/** Groups of three, or of two before the last three, as in India. */
function areGroups(parts: string[]): boolean {
  const [first = "", ...rest] = parts;
  return (
    first.length <= 3 &&
    rest.every((part, index) => part.length === 3 || (part.length === 2 && index < rest.length - 1))
  );
}
