import type { ChangeMember, ExplainedChange } from "../explain-change.ts";
import { RATIOS, type RatioName, ratioOf } from "../metrics/ratios.ts";
import type { Sums } from "../metrics/sums.ts";
import { relativeChange } from "../metrics/metric-values.ts";
import { dayText, type Language, metricText, percentText, quoted } from "../words/figures.ts";
import { atBeginning, metricName, platformName } from "../words/names.ts";
import type { Part } from "./decompose.ts";

/** How many members are told of. */
const MOST_TOLD = 5;
/** A part smaller than this share of all movement is not told of, in percent. */
const SMALLEST_SHARE = 5n;

type Change = Omit<ExplainedChange, "sentences">;

/** What a change came from, in plain sentences: the change itself, then who made the most of it. */
export function changeSentences(change: Change, language: Language): string[] {
  const words = WORDS[language];
  const { metric, currency, before, after, members } = change;
  const figure = (units: bigint) => metricText(metric, units, currency, language);
  const name = metricName(metric, language);
  const period = words.period(
    dayText(change.period.from, language),
    dayText(change.period.to, language),
  );
  if (before === null || after === null || change.change === null) {
    return [words.noChange(name, period, missing(change, language))];
  }
  if (change.change === 0n) return [words.same(name, figure(after), period)];
  const relative = relativeChange(before, after);
  const share =
    relative === null ? null : percentText(BigInt(Math.round(Math.abs(relative) * 1e6)), language);
  const head = words.head({
    name: atBeginning(name),
    rose: change.change > 0n,
    from: figure(before),
    to: figure(after),
    share,
    period,
  });
  return [head, ...told(members).map((part) => partSentence(change, part, language))];
}

/** The parts that matter, the largest first. */
function told(members: Part<ChangeMember>[]): Part<ChangeMember>[] {
  const all = members.reduce((sum, { part }) => sum + absolute(part), 0n);
  return members
    .filter(({ part }) => part !== 0n && absolute(part) * 100n >= all * SMALLEST_SHARE)
    .slice(0, MOST_TOLD);
}

const absolute = (value: bigint) => (value < 0n ? -value : value);

function partSentence(
  { metric, currency }: Change,
  { member, presence, part, rate, mix }: Part<ChangeMember>,
  language: Language,
): string {
  const words = WORDS[language];
  const figure = (units: bigint) => metricText(metric, units, currency, language);
  const who =
    member.name === null
      ? words.rest(platformName(member.platform, language))
      : words.who(quoted(member.name, language), platformName(member.platform, language));
  const before = ratioOf(metric, member.before);
  const after = ratioOf(metric, member.after);
  const name = metricName(metric, language);
  const reason = (): string => {
    if (presence === "new")
      return after === null
        ? words.newWithout(without(metric, language))
        : words.fresh(name, figure(after));
    if (presence === "vanished")
      return before === null ? words.goneWithout : words.gone(name, figure(before));
    if (presence === "without" || before === null || after === null)
      return words.without(...spentFor(metric, member, currency, language));
    if (absolute(rate ?? 0n) >= absolute(mix ?? 0n))
      return words.own(name, figure(before), figure(after));
    const grew = (member.after[RATIOS[metric].by] ?? 0n) > (member.before[RATIOS[metric].by] ?? 0n);
    return words.mix(metricName(RATIOS[metric].by, language), grew, name, figure(after));
  };
  return words.part(who, figure(absolute(part)), part > 0n, reason());
}

/** What a member had of the numerator without the denominator. */
function spentFor(
  metric: RatioName,
  { after, before }: ChangeMember,
  currency: string,
  language: Language,
): [string, string, boolean] {
  const { of, by } = RATIOS[metric];
  const isNow = (after[by] ?? 0n) === 0n;
  const amount = (isNow ? after : before)[of] ?? 0n;
  return [
    `${metricText(of, amount, currency, language)}${of === "spend" || of === "revenue" ? "" : ` ${metricName(of, language)}`}`,
    without(metric, language),
    isNow,
  ];
}

const without = (metric: RatioName, language: Language) => metricName(RATIOS[metric].by, language);

/** Why there is no change to tell of. */
function missing({ metric, before, after, whole }: Change, language: Language): string {
  const words = WORDS[language];
  const lacks = (sums: Sums) =>
    metricName(
      (sums[RATIOS[metric].by] ?? 0n) > 0n ? RATIOS[metric].of : RATIOS[metric].by,
      language,
    );
  if (before === null && after === null) return words.lacksBoth(lacks(whole.after));
  return before === null
    ? words.lacksBefore(lacks(whole.before))
    : words.lacksNow(lacks(whole.after));
}

const WORDS = {
  en: {
    period: (from: string, to: string) => (from === to ? `on ${from}` : `from ${from} to ${to}`),
    head: (it: {
      name: string;
      rose: boolean;
      from: string;
      to: string;
      share: string | null;
      period: string;
    }) =>
      `${it.name} ${it.rose ? "rose" : "fell"}${it.share === null ? "" : ` by ${it.share}`}, from ${it.from} in the period before to ${it.to} ${it.period}.`,
    same: (name: string, value: string, period: string) =>
      `${atBeginning(name)} was ${value} ${period}, the same as in the period before.`,
    noChange: (name: string, period: string, why: string) =>
      `There is no change of ${name} to tell of ${period}: ${why}.`,
    lacksBoth: (what: string) => `there are no ${what} in either period`,
    lacksBefore: (what: string) => `there are no ${what} in the period before`,
    lacksNow: (what: string) => `there are no ${what} in this period`,
    who: (name: string, platform: string) => `${name} (${platform})`,
    rest: (platform: string) => `The rest of ${platform}`,
    part: (who: string, amount: string, up: boolean, why: string) =>
      `${who} ${up ? "added" : "took off"} ${amount}: ${why}.`,
    own: (name: string, from: string, to: string) => `its own ${name} went from ${from} to ${to}`,
    mix: (by: string, grew: boolean, name: string, value: string) =>
      `it had ${grew ? "more" : "fewer"} of the ${by}, at a ${name} of ${value}`,
    fresh: (name: string, value: string) => `it is new, at a ${name} of ${value}`,
    newWithout: (what: string) => `it is new, and has had no ${what} yet`,
    gone: (name: string, value: string) => `it no longer runs; its ${name} had been ${value}`,
    goneWithout: "it no longer runs",
    without: (amount: string, what: string, isNow: boolean) =>
      isNow
        ? `it had ${amount} without any ${what}`
        : `it had ${amount} without any ${what} before`,
  },
  fa: {
    period: (from: string, to: string) => (from === to ? `در ${from}` : `از ${from} تا ${to}`),
    head: (it: {
      name: string;
      rose: boolean;
      from: string;
      to: string;
      share: string | null;
      period: string;
    }) =>
      `${it.name} ${it.period} ${it.share === null ? "" : `${it.share} `}${it.rose ? "بالا رفت" : "پایین آمد"}: از ${it.from} در دورهٔ پیش به ${it.to} رسید.`,
    same: (name: string, value: string, period: string) =>
      `${name} ${period} ${value} بود، همان‌قدر که در دورهٔ پیش.`,
    noChange: (name: string, period: string, why: string) =>
      `${period} تغییری در ${name} برای گفتن نیست: ${why}.`,
    lacksBoth: (what: string) => `در هیچ‌یک از دو دوره ${what} نیست`,
    lacksBefore: (what: string) => `در دورهٔ پیش ${what} نیست`,
    lacksNow: (what: string) => `در این دوره ${what} نیست`,
    who: (name: string, platform: string) => `${name} (${platform})`,
    rest: (platform: string) => `بقیهٔ ${platform}`,
    part: (who: string, amount: string, up: boolean, why: string) =>
      `${who} آن را ${amount} ${up ? "بالا برد" : "پایین آورد"}: ${why}.`,
    own: (name: string, from: string, to: string) => `${name} خودش از ${from} به ${to} رسید`,
    mix: (by: string, grew: boolean, name: string, value: string) =>
      `سهم ${grew ? "بیشتری" : "کمتری"} از ${by} داشت، با ${name} برابر ${value}`,
    fresh: (name: string, value: string) => `تازه است، با ${name} برابر ${value}`,
    newWithout: (what: string) => `تازه است و هنوز ${what} نداشته است`,
    gone: (name: string, value: string) => `دیگر اجرا نمی‌شود؛ ${name} آن ${value} بود`,
    goneWithout: "دیگر اجرا نمی‌شود",
    without: (amount: string, what: string, isNow: boolean) =>
      isNow ? `${amount} داشت بی هیچ ${what}` : `پیش‌تر ${amount} داشت بی هیچ ${what}`,
  },
} satisfies Record<Language, unknown>;
