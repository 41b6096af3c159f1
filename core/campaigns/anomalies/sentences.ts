import type { FoundAnomaly } from "../find-anomalies.ts";
import {
  countText,
  dayText,
  decimalText,
  type Language,
  metricText,
  quoted,
} from "../words/figures.ts";
import { atBeginning, metricName, platformName } from "../words/names.ts";

/** A number of the method, which is no sum, in millionths. */
export const toUnits = (value: number) => BigInt(Math.round(value * 1e6));

/** What was unlike the days before, and compared with what. */
export function anomalySentence(
  anomaly: Omit<FoundAnomaly, "sentences">,
  language: Language,
): string {
  const { metric, currency, campaign, platform, score, days, sameWeekday } = anomaly;
  const words = WORDS[language];
  const figure = (value: number) => metricText(metric, toUnits(value), currency, language);
  const where =
    campaign !== null
      ? words.of(quoted(campaign.name, language))
      : platform !== null
        ? words.of(platformName(platform, language))
        : words.ofAll;
  return words.sentence({
    what: atBeginning(metricName(metric, language)),
    where,
    day: dayText(anomaly.day, language),
    value: figure(anomaly.value),
    expected: figure(anomaly.expected),
    spreads: decimalText(toUnits(Math.abs(score)), 1, language),
    basis: words.basis(countText(days, language), sameWeekday),
  });
}

interface Told {
  what: string;
  where: string;
  day: string;
  value: string;
  expected: string;
  spreads: string;
  basis: string;
}

const WORDS = {
  en: {
    of: (name: string) => `of ${name}`,
    ofAll: "of all campaigns",
    basis: (days: string, same: boolean) =>
      same ? `the last ${days} of the same weekday` : `the last ${days} days`,
    sentence: (it: Told) =>
      `${it.what} ${it.where} was ${it.value} on ${it.day}, where ${it.expected} is usual by ${it.basis}: ${it.spreads} times the usual spread away.`,
  },
  fa: {
    of: (name: string) => `در ${name}`,
    ofAll: "در همهٔ کمپین‌ها",
    basis: (days: string, same: boolean) =>
      same ? `${days} همین روز هفته در گذشته` : `${days} روز گذشته`,
    sentence: (it: Told) =>
      `${it.what} ${it.where} در ${it.day} برابر ${it.value} بود، در حالی که بنا بر ${it.basis}، ${it.expected} معمول است: ${it.spreads} برابر پراکندگی معمول دورتر.`,
  },
} satisfies Record<Language, unknown>;
