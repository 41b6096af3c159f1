import { persianLetters } from "./column-names.ts";

/** Beginnings of the months' names, without accents: English, German, French, Spanish, Italian, Portuguese, Dutch. */
const BEGINNINGS: readonly RegExp[] = [
  /^(?:jan|ene|gen)/,
  /^(?:feb|fev)/,
  /^(?:mar|mrz|maer|maa|mrt)/,
  /^(?:apr|avr|abr)/,
  /^(?:may|mai|maj|mag|mei)/,
  /^(?:jun|juin|giu)/,
  /^(?:jul|juil|lug)/,
  /^(?:aug|aou|ago)/,
  /^(?:sep|set)/,
  /^(?:oct|okt|ott|out)/,
  /^(?:nov)/,
  /^(?:dec|dez|dic)/,
];

/** The same months in Persian. */
const IN_PERSIAN = months(
  "ژانویه,فوریه,مارس,آوریل,مه|می,ژوئن,ژوئیه|جولای,اوت|آگوست|اگست,سپتامبر,اکتبر,نوامبر,دسامبر",
);

/** Those of the Persian calendar. */
const JALALI = months(
  "فروردین|farvardin,اردیبهشت|ordibehesht,خرداد|khordad,تیر|tir,مرداد|امرداد|mordad|amordad,شهریور|shahrivar,مهر|mehr,آبان|aban,آذر|azar,دی|dey,بهمن|bahman,اسفند|esfand",
);

/** The number of a month by its name; 0 where the calendar has none of this name. */
export function monthOf(name: string, isJalali: boolean): number {
  const plain = plainMonth(name);
  if (isJalali) return JALALI.get(plain) ?? 0;
  return IN_PERSIAN.get(plain) ?? BEGINNINGS.findIndex((names) => names.test(plain)) + 1;
}

/** Without case and accents, and with Persian letters where an Arabic keyboard has others. */
function plainMonth(name: string): string {
  return persianLetters(name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase());
}

function months(names: string): ReadonlyMap<string, number> {
  return new Map(
    names
      .split(",")
      .flatMap((all, index) =>
        all.split("|").map((name) => [plainMonth(name), index + 1] as const),
      ),
  );
}
