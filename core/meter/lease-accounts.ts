import {
  type Amounts,
  combine,
  componentOf,
  type Correction,
  type LeaseEntry,
  NO_AMOUNTS,
} from "./lease.ts";
import type { Lease, LedgerStorage } from "./ledger-storage.ts";

/** How long after a lease's end, or a running request's deadline, its report may still come. */
export const REPORT_GRACE_MS = 10_000;
/** For so long a charge can be taken back by a late report. */
const LATE_REPORT_MS = 24 * 60 * 60 * 1000;

/** What becomes of leases: settled, closed, charged where nobody reports, and revived where somebody does late. */
export class LeaseAccounts {
  private readonly storage: LedgerStorage;
  private corrections: Correction[] = [];

  constructor(storage: LedgerStorage) {
    this.storage = storage;
  }

  /** The charges, and their taking back, since this was asked last. */
  takeCorrections(): Correction[] {
    return this.corrections.splice(0);
  }

  /** Takes what an isolate says of one of its leases. */
  apply(entry: Exclude<LeaseEntry, { kind: "open" }>, now: number): void {
    const lease = this.storage.lease(entry.lease);
    if (!lease) return; // it was forgotten, long after it was charged
    if (lease.state === "charged") this.revive(lease, now);
    if (entry.kind === "settle") this.settle(lease, entry.reserved, entry.actual);
    else this.close(lease, entry, now);
  }

  /** Charges leases that nobody reported in time, and forgets those whose charge stands. */
  chargeDue(now: number): void {
    for (const lease of this.storage.leasesDue(now)) {
      if (lease.state === "charged") this.storage.deleteLease(lease.id);
      else this.charge(lease, now);
    }
  }

  /** Of an open lease, what the request did not take goes back into the lease, where the isolate has it already. */
  private settle(lease: Lease, reserved: Amounts, actual: Amounts): void {
    const whole = lease.state === "draining";
    const gone = whole ? reserved : { ...combine(actual, reserved, Math.min), slots: 0 };
    for (const name of lease.buckets) {
      if (name.unit !== "concurrency")
        this.storage.bucket(name).used += actual[componentOf(name.unit)];
    }
    this.release(lease, gone);
    if (whole) {
      lease.running--;
      this.forgetIfDone(lease);
    }
  }

  private close(lease: Lease, entry: LeaseEntry & { kind: "close" }, now: number): void {
    const keep = combine(entry.keep, lease.left, Math.min);
    this.release(
      lease,
      combine(lease.left, keep, (left, kept) => left - kept),
    );
    lease.state = "draining";
    lease.running = entry.running;
    lease.dueAt = now + entry.deadlineMs + REPORT_GRACE_MS;
    this.forgetIfDone(lease);
  }

  private forgetIfDone(lease: Lease): void {
    if (lease.running > 0) return;
    this.release(lease, lease.left);
    this.storage.deleteLease(lease.id);
  }

  /** Gives amounts of a lease back to its buckets; never more than it has left. */
  private release(lease: Lease, amounts: Amounts): void {
    const given = combine(amounts, lease.left, Math.min);
    for (const name of lease.buckets)
      this.storage.bucket(name).reserved -= given[componentOf(name.unit)];
    lease.left = combine(lease.left, given, (left, gone) => left - gone);
  }

  private charge(lease: Lease, now: number): void {
    const charged = { ...lease.left, slots: 0 };
    for (const name of lease.buckets)
      this.storage.bucket(name).used += charged[componentOf(name.unit)];
    this.release(lease, lease.left);
    lease.charged = charged;
    lease.state = "charged";
    lease.dueAt = now + LATE_REPORT_MS;
    this.correct(lease, charged, 1);
  }

  /** Takes a charge back: its isolate lives, and will say what was used. */
  private revive(lease: Lease, now: number): void {
    const charged = lease.charged ?? NO_AMOUNTS;
    for (const name of lease.buckets) {
      const bucket = this.storage.bucket(name);
      bucket.used -= charged[componentOf(name.unit)];
      bucket.reserved += charged[componentOf(name.unit)];
    }
    this.correct(lease, charged, -1);
    lease.left = { ...charged };
    lease.charged = null;
    lease.state = lease.running > 0 ? "draining" : "open";
    lease.endsAt = now; // nobody gets anything by waiting for it
    lease.dueAt = now + REPORT_GRACE_MS;
  }

  private correct(lease: Lease, amounts: Amounts, sign: 1 | -1): void {
    const { requests, tokens, micros } = amounts;
    if (requests === 0 && tokens === 0 && micros === 0) return;
    this.corrections.push({
      lease: lease.id,
      number: ++lease.corrections,
      at: lease.grantedAt,
      combination: lease.combination,
      requests: sign * requests,
      tokens: sign * tokens,
      micros: sign * micros,
    });
  }
}
