import { divideDown, divideRounded, UNITS } from "../metrics/exact.ts";
import { RATIOS, type RatioName, ratioOf } from "../metrics/ratios.ts";
import { addSums, noSums, type Sums } from "../metrics/sums.ts";

/** One of those whose sums make the whole, such as a campaign, in the period before and in this one. */
export interface Member {
  before: Sums;
  after: Sums;
}

/**
 * How a member was there:
 * - `both`: it had a ratio of its own in both periods
 * - `new`, `vanished`: it had nothing at all in one of them
 * - `without`: it had no denominator in one of them, such as spend without a conversion
 */
export type Presence = "both" | "new" | "vanished" | "without";

/** What a member did to the ratio of the whole; everything in millionths. */
export interface Part<M extends Member> {
  member: M;
  presence: Presence;
  /** All that it did; the parts of all members add up to the change. */
  part: bigint;
  /** What of it came from its own ratio's change; null where it had none in one of the periods. */
  rate: bigint | null;
  /** What of it came from its growing or shrinking at a ratio unlike the whole's; `rate + mix` is the part. */
  mix: bigint | null;
}

export interface Decomposition<M extends Member> {
  /** The ratio of the whole, as it is printed; null where its denominator is 0. */
  before: bigint | null;
  after: bigint | null;
  /** `after - before`; null where one of them is. */
  change: bigint | null;
  /** Empty where there is no change to take apart. */
  parts: Part<M>[];
}

/**
 * Takes the change of a ratio of sums apart by members. With n and d the numerator and denominator of a member, N and D
 * those of the whole, 0 before and 1 after, a member's part is
 *
 *     (Δn (D0 + D1) − Δd (N0 + N1)) / (2 D0 D1)
 *
 * which is the Shapley value of "the numerators change" and "the denominators change", shared out by who changed them. It
 * needs no ratio of the member, so that new and vanished members and those without a denominator have a part like any
 * other; a member in which nothing changed has 0; and the parts of a platform's campaigns add up to the platform's.
 *
 * Parts are rounded so that they add up to the printed change in its last digit: each is rounded down, and what is then
 * missing goes, a millionth each, to those that lost most.
 */
export function decompose<M extends Member>(
  name: RatioName,
  members: readonly M[],
): Decomposition<M> {
  const whole = wholeOf(members);
  const [before, after] = [ratioOf(name, whole.before), ratioOf(name, whole.after)];
  if (before === null || after === null) return { before, after, change: null, parts: [] };
  const change = after - before;
  const shares = members.map((member) => exactPart(name, member, whole));
  const parts = apportion(shares, change);
  return {
    before,
    after,
    change,
    parts: members.map((member, index) => splitPart(name, member, whole, parts[index] ?? 0n)),
  };
}

/** The sums of all members. */
export const wholeOf = (members: readonly Member[]): Member =>
  members.reduce<Member>(
    (sum, { before, after }) => ({
      before: addSums(sum.before, before),
      after: addSums(sum.after, after),
    }),
    { before: noSums(), after: noSums() },
  );

/** The numerators and denominators of both periods; what nobody said adds nothing. */
function termsOf(name: RatioName, { before, after }: Member) {
  const { of, by } = RATIOS[name];
  return {
    n0: before[of] ?? 0n,
    n1: after[of] ?? 0n,
    d0: before[by] ?? 0n,
    d1: after[by] ?? 0n,
  };
}

interface Fraction {
  numerator: bigint;
  /** Above zero. */
  denominator: bigint;
}

function exactPart(name: RatioName, member: Member, whole: Member): Fraction {
  const { n0, n1, d0, d1 } = termsOf(name, member);
  const { n0: N0, n1: N1, d0: D0, d1: D1 } = termsOf(name, whole);
  return {
    numerator: RATIOS[name].times * UNITS * ((n1 - n0) * (D0 + D1) - (d1 - d0) * (N0 + N1)),
    denominator: 2n * D0 * D1,
  };
}

/** Rounds fractions of one denominator to whole numbers whose sum is `total`, which is less than 1 from their own. */
function apportion(shares: readonly Fraction[], total: bigint): bigint[] {
  const rounded = shares.map(({ numerator, denominator }) => divideDown(numerator, denominator));
  const lost = shares.map(
    ({ numerator, denominator }, index) => numerator - (rounded[index] ?? 0n) * denominator,
  );
  const missing = total - rounded.reduce((sum, value) => sum + value, 0n);
  const order = shares
    .map((_, index) => index)
    .toSorted((a, b) => compare(lost[b] ?? 0n, lost[a] ?? 0n) || a - b);
  for (const index of order.slice(0, Number(missing))) rounded[index] = (rounded[index] ?? 0n) + 1n;
  return rounded;
}

const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Splits a part into rate and mix: with r̄ the mean of the member's ratios, the mix is Δd (r̄ (D0 + D1) − (N0 + N1)) /
 * (2 D0 D1), and the rate is the rest.
 */
function splitPart<M extends Member>(
  name: RatioName,
  member: M,
  whole: Member,
  part: bigint,
): Part<M> {
  const presence = presenceOf(name, member);
  if (presence !== "both") return { member, presence, part, rate: null, mix: null };
  const { n0, n1, d0, d1 } = termsOf(name, member);
  const { n0: N0, n1: N1, d0: D0, d1: D1 } = termsOf(name, whole);
  const mean = n0 * d1 + n1 * d0; // of the two ratios, times 2 d0 d1
  const mix = divideRounded(
    RATIOS[name].times * UNITS * (d1 - d0) * (mean * (D0 + D1) - 2n * d0 * d1 * (N0 + N1)),
    4n * d0 * d1 * D0 * D1,
  );
  return { member, presence, part, rate: part - mix, mix };
}

function presenceOf(name: RatioName, member: Member): Presence {
  const { n0, n1, d0, d1 } = termsOf(name, member);
  if (d0 > 0n && d1 > 0n) return "both";
  if (n0 === 0n && d0 === 0n) return "new";
  if (n1 === 0n && d1 === 0n) return "vanished";
  return "without";
}
