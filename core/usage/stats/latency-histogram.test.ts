import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BUCKET_STARTS,
  type LatencyHistogram,
  LONGEST_MS,
  mergeHistograms,
  quantile,
  RELATIVE_ERROR,
} from "./latency-histogram.ts";

/** As the statement that stores records counts them: the last bucket that begins at or before the time. */
function histogramOf(times: readonly number[]): LatencyHistogram {
  const histogram = new Map<number, number>();
  for (const time of times) {
    const start = BUCKET_STARTS.findLast((first) => first <= time) ?? 0;
    histogram.set(start, (histogram.get(start) ?? 0) + 1);
  }
  return histogram;
}

const sorted = (histogram: LatencyHistogram) =>
  [...histogram].sort(([one], [other]) => one - other);

/** Times of every size: most random integers below an hour have seven digits. */
const time = fc
  .double({ min: 0, max: Math.log(LONGEST_MS), noNaN: true })
  .map((power) => Math.floor(Math.exp(power)) - 1);
const times = fc.array(time, { minLength: 1, maxLength: 300 });

describe("a histogram of latencies", () => {
  it("tells every quantile within the stated error", () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (all, part) => {
        const rank = Math.max(1, Math.ceil(part * all.length));
        const exact = all.toSorted((one, other) => one - other)[rank - 1] ?? NaN;
        const told = quantile(histogramOf(all), part) ?? NaN;
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR + 1e-9);
      }),
      { numRuns: 2_000 },
    );
  });

  it("tells each single millisecond up to an hour within the stated error", () => {
    let bucket = 0;
    for (let exact = 0; exact <= LONGEST_MS; exact++) {
      while ((BUCKET_STARTS[bucket + 1] ?? Infinity) <= exact) bucket++;
      const start = BUCKET_STARTS[bucket] ?? NaN;
      if (exact !== start && exact !== (BUCKET_STARTS[bucket + 1] ?? 0) - 1) continue; // the ends are farthest off
      const told = quantile(new Map([[start, 1]]), 0.5) ?? NaN;
      if (Math.abs(told - exact) > exact * RELATIVE_ERROR + 1e-9)
        throw new Error(`${exact} ms is told as ${told}`);
    }
  });

  it("is the same in whatever order and grouping its parts are added", () => {
    fc.assert(
      fc.property(times, times, times, (a, b, c) => {
        const [x, y, z] = [histogramOf(a), histogramOf(b), histogramOf(c)];
        const whole = sorted(histogramOf([...a, ...b, ...c]));
        expect(sorted(mergeHistograms(mergeHistograms(x, y), z))).toEqual(whole);
        expect(sorted(mergeHistograms(x, mergeHistograms(z, y)))).toEqual(whole);
        expect(sorted(mergeHistograms(new Map(), mergeHistograms(x, new Map())))).toEqual(
          sorted(x),
        );
      }),
    );
  });

  it("has nothing to tell where there are no requests, and stays within its bound of buckets", () => {
    expect(quantile(new Map(), 0.5)).toBeNull();
    expect(BUCKET_STARTS.length).toBeLessThan(160);
    expect(quantile(histogramOf([LONGEST_MS * 50]), 0.99)).toBe(LONGEST_MS);
  });
});
