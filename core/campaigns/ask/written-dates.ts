/** A date that stands in a text, as far as it is said. */
interface WrittenDate {
  start: number;
  end: number;
  date: { year: number | null; month: number | null; day: number | null };
}

const MONTHS: readonly (readonly string[])[] = [
  ["january", "jan", "ژانویه"],
  ["february", "feb", "فوریه"],
  ["march", "mar", "مارس"],
  ["april", "apr", "آوریل"],
  ["may", "مه"],
  ["june", "jun", "ژوئن"],
  ["july", "jul", "ژوئیه", "جولای"],
  ["august", "aug", "اوت"],
  ["september", "sept", "sep", "سپتامبر"],
  ["october", "oct", "اکتبر"],
  ["november", "nov", "نوامبر"],
  ["december", "dec", "دسامبر"],
];
const NAMES = MONTHS.flat().join("|");
const DAY = "(\\d{1,2})(?:st|nd|rd|th)?";
const YEAR = "(\\d{4})";

/** Each with the places of year, month and day among what it catches; 0 for what it does not say. */
const FORMS: readonly { form: RegExp; year: number; month: number; day: number }[] = [
  {
    form: new RegExp(`(?<![\\d])${YEAR}[-/](\\d{1,2})[-/](\\d{1,2})(?!\\d)`, "gi"),
    year: 1,
    month: 2,
    day: 3,
  },
  {
    form: new RegExp(`(?<![\\d.])${YEAR}-(0[1-9]|1[0-2])(?![\\d-])`, "gi"),
    year: 1,
    month: 2,
    day: 0,
  },
  {
    form: new RegExp(`(?<![\\p{L}\\d])(${NAMES})\\.? ${DAY}(?!\\d),? ${YEAR}(?!\\d)`, "giu"),
    year: 3,
    month: 1,
    day: 2,
  },
  {
    form: new RegExp(`(?<!\\d)${DAY} (?:of )?(${NAMES})\\.?,? ${YEAR}(?!\\d)`, "giu"),
    year: 3,
    month: 2,
    day: 1,
  },
  {
    form: new RegExp(`(?<![\\p{L}\\d])(${NAMES})\\.?,? ${YEAR}(?!\\d)`, "giu"),
    year: 2,
    month: 1,
    day: 0,
  },
  {
    form: new RegExp(`(?<![\\p{L}\\d])(${NAMES})\\.? ${DAY}(?![\\d%.,]\\d|\\d)`, "giu"),
    year: 0,
    month: 1,
    day: 2,
  },
  {
    form: new RegExp(`(?<![\\d.,])${DAY} (?:of )?(${NAMES})(?!\\p{L})`, "giu"),
    year: 0,
    month: 2,
    day: 1,
  },
];

/** Dates in a text whose digits are ASCII: `2026-11-03`, `2026-11`, `November 3, 2026`, `3 Nov`. */
export function readDates(text: string): WrittenDate[] {
  return FORMS.flatMap(({ form, year, month, day }) =>
    [...text.matchAll(form)].flatMap((match) => {
      const value = (place: number) => (place === 0 ? null : Number(match[place]));
      const named = monthOf(match[month] ?? "");
      const date = { year: value(year), month: named, day: value(day) };
      if (named === null || named < 1 || named > 12 || (date.day ?? 1) < 1 || (date.day ?? 1) > 31)
        return [];
      return [{ start: match.index, end: match.index + match[0].length, date }];
    }),
  );
}

function monthOf(text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text);
  const index = MONTHS.findIndex((names) => names.includes(text.toLowerCase()));
  return index < 0 ? null : index + 1;
}
