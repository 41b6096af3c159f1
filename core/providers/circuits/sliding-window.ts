const BUCKETS = 10;

/** Counts of the last while. It moves on in tenths of its length, so that nothing is kept for each request. */
export class SlidingWindow {
  private readonly bucketMs: number;
  private readonly stamps = Array.from({ length: BUCKETS }, () => -Infinity);
  private readonly counts = Array.from({ length: BUCKETS }, () => 0);
  private readonly failures = Array.from({ length: BUCKETS }, () => 0);
  private readonly slows = Array.from({ length: BUCKETS }, () => 0);

  constructor(windowMs: number) {
    this.bucketMs = Math.max(1, windowMs / BUCKETS);
  }

  add(now: number, failed: boolean, slow: boolean): void {
    const stamp = Math.floor(now / this.bucketMs);
    const at = ((stamp % BUCKETS) + BUCKETS) % BUCKETS;
    if (this.stamps[at] !== stamp) {
      this.stamps[at] = stamp;
      this.counts[at] = this.failures[at] = this.slows[at] = 0;
    }
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    if (failed) this.failures[at] = (this.failures[at] ?? 0) + 1;
    if (slow) this.slows[at] = (this.slows[at] ?? 0) + 1;
  }

  sums(now: number): { requests: number; failed: number; slow: number } {
    const newest = Math.floor(now / this.bucketMs);
    const sums = { requests: 0, failed: 0, slow: 0 };
    for (const [at, stamp] of this.stamps.entries()) {
      if (stamp > newest || stamp <= newest - BUCKETS) continue;
      sums.requests += this.counts[at] ?? 0;
      sums.failed += this.failures[at] ?? 0;
      sums.slow += this.slows[at] ?? 0;
    }
    return sums;
  }

  clear(): void {
    this.stamps.fill(-Infinity);
  }
}
