/** A text with all digits and signs of numbers in ASCII, and where each of its letters stood in the text itself. */
export interface PlainText {
  text: string;
  /** For each position of `text`, and its end: the position in the original. */
  at: number[];
}

/** Signs of numbers in other scripts. */
const SIGNS: Readonly<Record<string, string>> = {
  "٫": ".",
  "٬": ",",
  "٪": "%",
  "％": "%",
  "−": "-",
  "﹣": "-",
  "－": "-",
  "，": ",",
  "．": ".",
  "\u00a0": " ",
  "\u202f": " ",
  "\u2009": " ",
  "\u2007": " ",
};

/** What is not seen, and could stand between two digits. */
const UNSEEN = /^[\p{Cf}\u034f\ufe00-\ufe0f]$/u;

/** Writes numbers of every script in ASCII, so that one reader reads them all. What is not seen is left out. */
export function withPlainDigits(original: string): PlainText {
  let text = "";
  const at: number[] = [];
  let position = 0;
  for (const letter of original) {
    const plain = plainLetter(letter);
    for (let unit = 0; unit < plain.length; unit++) at.push(position);
    text += plain;
    position += letter.length;
  }
  at.push(position);
  return { text, at };
}

function plainLetter(letter: string): string {
  if (letter < "\u0080") return letter;
  const sign = SIGNS[letter];
  if (sign !== undefined) return sign;
  if (/^\p{Nd}$/u.test(letter)) return String(digitOf(letter.codePointAt(0) ?? 0));
  // The half-space of Persian stands between parts of a word, never within a number.
  if (letter === "\u200c") return letter;
  return UNSEEN.test(letter) ? "" : letter;
}

/** Digits of a script stand in a row of ten, so that a digit is as many places after the row's first as it counts. */
function digitOf(code: number): number {
  let before = 0;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(code - before - 1))) before += 1;
  return before % 10;
}
