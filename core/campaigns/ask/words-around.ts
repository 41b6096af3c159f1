import type { Numeral } from "./numerals.ts";
import type { SourceNumber } from "./source-numbers.ts";

/** Letters on each side of a number that are read for what it is. */
const CONTEXT = 40;

/** Words of amounts and metrics, behind which a number is no count of rows or days. */
const MEASURED =
  /^(?:usd|eur|gbp|irr|dollars?|euros?|rials?|tomans?|clicks?|impressions?|conversions?|sales|leads|roas|ctr|cpa|cpc|cpm|cvr|x|times|دلار|یورو|ریال|تومان|کلیک|نمایش|تبدیل|برابر)$/iu;

/** Words of metrics, by the name that each has in results. */
const METRIC_WORDS: Readonly<Record<string, RegExp>> = {
  impressions: /^(?:impressions?|نمایش)$/iu,
  clicks: /^(?:clicks?|کلیک)$/iu,
  conversions: /^(?:conversions?|تبدیل)$/iu,
  spend: /^(?:spend|spent|costs?|هزینه)$/iu,
  revenue: /^(?:revenue|sales|درآمد)$/iu,
  ctr: /^ctr$/i,
  cpc: /^cpc$/i,
  cpm: /^cpm$/i,
  cvr: /^cvr$/i,
  cpa: /^cpa$/i,
  roas: /^roas$/i,
};
/** Those that stand behind their number: 700 clicks are clicks. */
const COUNTED = ["impressions", "clicks", "conversions"];

/** What the words around a number say that it is. */
export interface Around {
  /** It counts things: a thing is named behind it, or it is the top, last or first so many. */
  counts: boolean;
  /** The metric whose name stands directly behind it; a number of another metric is not this one. */
  metric: string | null;
  /** Metrics that are named near it, with how many letters away: the nearest is the likeliest. */
  near: ReadonlyMap<string, number>;
  /** Whether the period before is spoken of. */
  before: boolean;
}

export function wordsAround(answer: string, { start, end }: Numeral): Around {
  const left = answer.slice(Math.max(0, start - CONTEXT), start);
  const right = answer.slice(end, end + CONTEXT);
  const behind = /^[ \u200c-](\p{L}+)/u.exec(right)?.[1] ?? null;
  const named = behind === null ? null : metricOf(behind);
  return {
    counts:
      /\b(?:top|last|first|past) $/i.test(left) || (behind !== null && !MEASURED.test(behind)),
    metric: named !== null && COUNTED.includes(named) ? named : null,
    near: namedNear(left, right),
    before: /\b(?:before|previous|earlier|from)\b|پیش|قبل/iu.test(
      left.slice(-12) + right.slice(0, 12),
    ),
  };
}

const metricOf = (word: string) =>
  Object.keys(METRIC_WORDS).find((name) => METRIC_WORDS[name]?.test(word)) ?? null;

function namedNear(left: string, right: string): Map<string, number> {
  const near = new Map<string, number>();
  const note = (word: string, distance: number) => {
    const metric = metricOf(word);
    if (metric !== null) near.set(metric, Math.min(distance, near.get(metric) ?? CONTEXT));
  };
  for (const match of left.matchAll(/\p{L}+/gu))
    note(match[0], left.length - match.index - match[0].length);
  for (const match of right.matchAll(/\p{L}+/gu)) note(match[0], match.index);
  return near;
}

/** Of numbers that are the same, the one that the words around mean; the first, where they do not say. */
export function likeliest(
  numbers: SourceNumber[],
  { near, before }: Around,
): SourceNumber | undefined {
  const score = ({ name, path }: SourceNumber) =>
    CONTEXT - (near.get(name) ?? CONTEXT) + (path.includes(".previous.") === before ? 0.5 : 0);
  return numbers.toSorted((one, other) => score(other) - score(one))[0];
}
