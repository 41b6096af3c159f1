import type { Reading } from "./numerals.ts";

interface WrittenNumber {
  start: number;
  end: number;
  reading: Reading;
}

const SMALL: Readonly<Record<string, number>> = {
  zero: 0,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  thirteen: 13,
  fourteen: 14,
  fifteen: 15,
  sixteen: 16,
  seventeen: 17,
  eighteen: 18,
  nineteen: 19,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
  صفر: 0,
  یک: 1,
  دو: 2,
  سه: 3,
  چهار: 4,
  پنج: 5,
  شش: 6,
  هفت: 7,
  هشت: 8,
  نه: 9,
  ده: 10,
  یازده: 11,
  دوازده: 12,
  سیزده: 13,
  چهارده: 14,
  پانزده: 15,
  شانزده: 16,
  هفده: 17,
  هجده: 18,
  نوزده: 19,
  بیست: 20,
  سی: 30,
  چهل: 40,
  پنجاه: 50,
  شصت: 60,
  هفتاد: 70,
  هشتاد: 80,
  نود: 90,
  صد: 100,
  دویست: 200,
  سیصد: 300,
  چهارصد: 400,
  پانصد: 500,
  ششصد: 600,
  هفتصد: 700,
  هشتصد: 800,
  نهصد: 900,
};
const LARGE: Readonly<Record<string, number>> = {
  hundred: 100,
  dozen: 12,
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  هزار: 1e3,
  میلیون: 1e6,
  میلیارد: 1e9,
};
const FACTORS: Readonly<Record<string, number>> = {
  doubled: 2,
  doubling: 2,
  double: 2,
  twice: 2,
  twofold: 2,
  tripled: 3,
  tripling: 3,
  triple: 3,
  threefold: 3,
  quadrupled: 4,
  halved: 0.5,
  halving: 0.5,
  دوبرابر: 2,
  "دو برابر": 2,
  "سه برابر": 3,
  نصف: 0.5,
};
/** Words that are mostly no numbers: an article, a pronoun, "no". Alone they are left as they are. */
const OFTEN_OTHER = new Set(["one", "یک", "نه", "سی", "ده"]);

const words = (of: object) => Object.keys(of).join("|");
const NUMBER = `(?:${words(SMALL)}|${words(LARGE)})`;
const SEQUENCE = new RegExp(
  `(?<!\\p{L})${NUMBER}(?:(?:[ -]| and | و )${NUMBER})*(?:[ -](?:percent|درصد))?(?!\\p{L})`,
  "giu",
);
const FACTOR = new RegExp(`(?<!\\p{L})(?:${words(FACTORS)})(?!\\p{L})`, "giu");

/** Numbers in English and Persian words, so that none gets by as a word: `twelve thousand`, `دو میلیون`, `doubled`. */
export function readNumberWords(text: string): WrittenNumber[] {
  const factors = [...text.matchAll(FACTOR)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    reading: { kind: "factor" as const, value: FACTORS[match[0].toLowerCase()] ?? 0 }, // `as const` keeps which reading it is
  }));
  const numbers = [...text.matchAll(SEQUENCE)].flatMap((match) => {
    const lower = match[0].toLowerCase();
    if (OFTEN_OTHER.has(lower)) return [];
    const percent = /(percent|درصد)$/.test(lower);
    const reading = { kind: "number" as const, value: valueOf(lower), tolerance: 0, percent };
    return [{ start: match.index, end: match.index + match[0].length, reading }];
  });
  return [...factors, ...numbers];
}

/** `two hundred and five thousand` → 205000. */
function valueOf(text: string): number {
  let total = 0;
  let group = 0;
  for (const word of text.split(/[ -]/)) {
    const large = LARGE[word];
    if (large === undefined) group += SMALL[word] ?? 0;
    else if (large < 1e3) group = Math.max(group, 1) * large;
    else {
      total += Math.max(group, 1) * large;
      group = 0;
    }
  }
  return total + group;
}
