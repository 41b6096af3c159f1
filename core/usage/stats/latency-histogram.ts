/**
 * How many requests took how long, by buckets: the first millisecond of a bucket and the number of requests in it. Two
 * are added bucket by bucket, in any order, so sums of minutes, models and teams come of the same rows.
 */
export type LatencyHistogram = ReadonlyMap<number, number>;

/** A time read out of a histogram is at most this part of it off. */
export const RELATIVE_ERROR = 0.05;
/** Longer times, in milliseconds, are all told as this one: an hour. */
export const LONGEST_MS = 3_600_000;

/**
 * The first millisecond of each bucket, ascending. A bucket is as wide as the error allows: between its ends `low` and
 * `high` there is a time that is off by `(high - low) / (high + low)` at most. Below 10 ms each millisecond has its own.
 */
export const BUCKET_STARTS: readonly number[] = bucketStarts();

function bucketStarts(): number[] {
  const starts = [0];
  const growth = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
  for (let low = 1; low < LONGEST_MS; low = Math.floor(low * growth) + 1) starts.push(low);
  return [...starts, LONGEST_MS];
}

/** The histogram of both together. */
export function mergeHistograms(one: LatencyHistogram, other: LatencyHistogram): LatencyHistogram {
  const sum = new Map(one);
  for (const [start, count] of other) sum.set(start, (sum.get(start) ?? 0) + count);
  return sum;
}

/**
 * The time in milliseconds that a part of the requests took at most, by nearest rank.
 * @param part from 0 to 1, such as 0.95
 * @returns null where there are no requests
 */
export function quantile(histogram: LatencyHistogram, part: number): number | null {
  const buckets = [...histogram].sort(([one], [other]) => one - other);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(part * total));
  let passed = 0;
  for (const [start, count] of buckets) {
    passed += count;
    if (passed >= rank) return timeOf(start);
  }
  return null;
}

/** The time that is least off for a whole bucket, in milliseconds. */
function timeOf(start: number): number {
  const next = BUCKET_STARTS.find((other) => other > start);
  if (next === undefined || start === 0) return start;
  const last = next - 1;
  return (2 * start * last) / (start + last);
}
