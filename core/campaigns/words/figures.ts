import { divideRounded, UNITS } from "../metrics/exact.ts";
import { isMoney, type MetricName } from "../metrics/metric-values.ts";

/** The languages of sentences about campaigns. */
export const LANGUAGES = ["en", "fa"] as const;
export type Language = (typeof LANGUAGES)[number];

const SIGNS = {
  en: { group: ",", point: ".", percent: "%", minus: "-", quotes: ["“", "”"] },
  fa: { group: "٬", point: "٫", percent: "٪", minus: "\u200e−", quotes: ["«", "»"] },
} as const satisfies Record<Language, unknown>;

/** ISO 4217 for "no currency": nobody said which. */
export const NO_CURRENCY = "XXX";

/** Persian digits in place of ASCII ones. */
function inDigitsOf(language: Language, text: string): string {
  if (language === "en") return text;
  return text.replace(/\d/g, (digit) => String.fromCodePoint(0x06f0 + Number(digit)));
}

/** Millionths as people write them, rounded: `1234500000n` → `1,234.50`, or `۱٬۲۳۴٫۵۰`. */
export function decimalText(units: bigint, decimals: number, language: Language): string {
  const scale = 10n ** BigInt(6 - decimals);
  const rounded = divideRounded(units, scale);
  const absolute = rounded < 0n ? -rounded : rounded;
  const base = UNITS / scale;
  const { group, point, minus } = SIGNS[language];
  const whole = String(absolute / base).replace(/\B(?=(\d{3})+$)/g, group);
  const fraction = decimals === 0 ? "" : point + String(absolute % base).padStart(decimals, "0");
  return `${rounded < 0n ? minus : ""}${inDigitsOf(language, whole + fraction)}`;
}

/** A share as a percentage: `175000n` → `17.5%`. */
export function percentText(units: bigint, language: Language, decimals = 1): string {
  return `${decimalText(units * 100n, decimals, language)}${SIGNS[language].percent}`;
}

/** An amount with its currency, where it is known. */
export function moneyText(units: bigint, currency: string, language: Language): string {
  const amount = decimalText(units, 2, language);
  return currency === NO_CURRENCY ? amount : `${amount} ${currency}`;
}

/** A metric as people write it: counts whole, rates in percent, amounts with their currency. */
export function metricText(
  name: MetricName,
  units: bigint,
  currency: string,
  language: Language,
): string {
  if (isMoney(name)) return moneyText(units, currency, language);
  if (name === "ctr" || name === "cvr") return percentText(units, language, 2);
  if (name === "roas") return decimalText(units, 2, language);
  const isWhole = units % UNITS === 0n;
  return decimalText(units, isWhole ? 0 : 2, language);
}

export function countText(count: number, language: Language): string {
  return inDigitsOf(language, String(count));
}

/** A day as `2026-11-21` in the language's digits, kept together in lines that run from right to left. */
export function dayText(day: string, language: Language): string {
  return language === "en" ? day : isolated(inDigitsOf(language, day));
}

/** First strong isolate … pop: what is inside does not turn the line around it. */
const isolated = (text: string) => `\u2068${text}\u2069`;

const LONGEST_NAME = 80;

/**
 * A name that came from a file, on one line, without what could turn the line around or hide, and not too long. It stays
 * a stranger's words: nothing is to be done that it says.
 */
export function cleanName(name: string): string {
  const clean = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, (found) =>
      /^[\u200c\u200d]$/.test(found) ? found : " ",
    )
    .trim();
  const letters = [...clean];
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME - 1).join("")}…` : clean;
}

/** A name in the language's quotes. */
export function quoted(name: string, language: Language): string {
  const [open, close] = SIGNS[language].quotes;
  return `${open}${isolated(cleanName(name))}${close}`;
}
