import {
  type Amounts,
  combine,
  type Combination,
  componentOf,
  type Correction,
  type Grant,
  type LeaseEntry,
  NO_AMOUNTS,
  ruleCounts,
  type Want,
} from "./lease.ts";
import { type BucketName, type Lease, LedgerStorage, type LedgerSql } from "./ledger-storage.ts";
import type { LimitRule } from "./limit-rule.ts";
import type { LimitState, LimitUsage, LimitViewer } from "./limit-state.ts";
import { maxAt, windowAt } from "./limit-windows.ts";

/** The longest life of a lease, in milliseconds. */
export const LEASE_MS = 1_000;
/** How long after a lease's end, or a running request's deadline, its report may still come. */
export const REPORT_GRACE_MS = 10_000;
/** For so long a charge can be taken back by a late report. */
const LATE_REPORT_MS = 24 * 60 * 60 * 1000;
/** An isolate that was silent for so long is gone with its entries. */
const ISOLATE_KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** Counters of windows that ended stay this long, for clocks that step back. */
const WINDOW_KEPT_MS = 10 * 60 * 1000;
/** Leases for more than a request take at most this part of what is free, so that they shrink towards the edge. */
const EXTRA_PART = 4;
/** Where a soft limit warns, in percent of its maximum. */
const WARNING_PERCENTS = [80, 100];
/** Open leases that are looked at to say how long waiting takes. */
const LEASES_LOOKED_AT = 500;
/** End users of a limit that are listed, the fullest first. */
const SUBJECTS_LISTED = 100;

export interface LedgerInput {
  isolateId: string;
  /** The number of the first entry; entries are numbered from 1 in an isolate's life. */
  firstEntry: number;
  entries: readonly LeaseEntry[];
  wants: readonly Want[];
}

export interface LedgerOutput {
  /** Entries up to this number are kept for good, and need not be sent again. */
  applied: number;
  /** One for each want. */
  grants: Grant[];
  corrections: Correction[];
  warnings: LimitWarning[];
}

/** A soft limit has come this far, for the first time in its window. */
export interface LimitWarning {
  percent: number;
  state: LimitState;
}

/**
 * What can be spent, by every limit at once. A lease is deducted from all buckets that its requests fall into, or from
 * none, before anybody may use it, and comes back only by its own isolate's word. So whatever is lost, repeated, late
 * or dead, and whatever clocks do, no bucket gives away more than it has; what nobody reports is charged in full.
 * All times are the Meter's own, in milliseconds since 1970.
 */
export class LimitLedger {
  private readonly storage: LedgerStorage;
  private readonly newLeaseId: () => string;
  private rules: readonly LimitRule[] = [];
  private corrections: Correction[] = [];
  private warnings: LimitWarning[] = [];

  constructor(sql: LedgerSql, newLeaseId: () => string) {
    this.storage = new LedgerStorage(sql);
    this.newLeaseId = newLeaseId;
  }

  /** Other rules hold from now on. Counters stay with their rule's id. */
  setRules(rules: readonly LimitRule[]): void {
    this.rules = rules;
  }

  /** Takes an isolate's entries and grants what it wants, in one transaction. */
  sync(input: LedgerInput, now: number): LedgerOutput {
    return this.write(now, () => {
      this.chargeDue(now);
      const before = this.storage.applied(input.isolateId);
      const applied = Math.max(before, input.firstEntry + input.entries.length - 1);
      input.entries.forEach((entry, index) => {
        if (input.firstEntry + index > before) this.apply(entry, now);
      });
      if (applied > before) this.storage.setApplied(input.isolateId, applied, now);
      return { applied, grants: input.wants.map((want) => this.grant(want, now)) };
    });
  }

  /** Charges leases that nobody reported, and forgets what is over. The rules must be those that hold. */
  sweep(now: number): Pick<LedgerOutput, "corrections" | "warnings"> {
    const ruleIds = this.rules.map(({ id }) => id);
    return this.write(now, () => {
      this.chargeDue(now);
      this.storage.prune(now - WINDOW_KEPT_MS, now - ISOLATE_KEPT_MS, ruleIds);
      return {};
    });
  }

  /** When `sweep` has something to do next. */
  nextDue(): number | null {
    return this.storage.nextDue();
  }

  /**
   * Limits with what is used of them now. A limit for each end user is shown once for each that the viewer sees, or,
   * where that is nobody, as it is for an end user who has used nothing (`*`).
   */
  usage(viewer: LimitViewer, now: number): LimitUsage[] {
    return this.rules.flatMap((rule) => {
      if (rule.keyId !== null && viewer.keyId !== "*" && rule.keyId !== viewer.keyId) return [];
      const { start } = windowAt(rule.window, now);
      const subjects = this.subjectsOf(rule, start, viewer);
      return subjects.map((subject) => this.usageOf(rule, subject, now));
    });
  }

  private subjectsOf(rule: LimitRule, start: number, { endUser }: LimitViewer): string[] {
    if (rule.endUser === null) return [""];
    if (rule.endUser !== "*")
      return endUser === "*" || endUser === rule.endUser ? [rule.endUser] : [];
    if (endUser !== null && endUser !== "*") return [endUser];
    const named = endUser === "*" ? this.storage.bucketsOf(rule.id, start, SUBJECTS_LISTED) : [];
    return named.length > 0 ? named.map(({ subject }) => subject) : ["*"];
  }

  private usageOf(rule: LimitRule, subject: string, now: number): LimitUsage {
    const { ruleId, unit, start, end } = {
      ruleId: rule.id,
      unit: rule.unit,
      ...windowAt(rule.window, now),
    };
    const bucket = this.storage.look({ ruleId, subject, unit, start, end });
    const state = this.stateOf(rule, subject, bucket.used + bucket.reserved, now);
    const raise = rule.raise && rule.raise.until > now ? rule.raise : null;
    const { used, reserved } = bucket;
    return { ...state, used, reserved, onError: rule.onError, raise };
  }

  private write<T extends object>(
    now: number,
    work: () => T,
  ): T & Pick<LedgerOutput, "corrections" | "warnings"> {
    this.corrections = [];
    this.warnings = [];
    const result = this.storage.write(() => {
      const done = work();
      this.warn(now);
      return done;
    });
    return { ...result, corrections: this.corrections, warnings: this.warnings };
  }

  /** Of soft limits, says once a window when they are nearly used up, and once when they are. */
  private warn(now: number): void {
    const soft = this.rules.filter((rule) => rule.soft);
    if (soft.length === 0) return;
    for (const bucket of this.storage.touched()) {
      const rule = soft.find(({ id }) => id === bucket.ruleId);
      if (!rule || bucket.start !== windowAt(rule.window, now).start) continue;
      // What is only set aside mostly comes back; of running requests there is nothing else.
      const level = rule.unit === "concurrency" ? bucket.reserved : bucket.used;
      const state = this.stateOf(rule, bucket.subject, level, now);
      const since = rule.unit === "concurrency" ? windowAt("hour", now).start : bucket.start;
      for (const percent of WARNING_PERCENTS) {
        if (level < (state.max * percent) / 100) continue;
        if (this.storage.noteWarning(bucket, since, percent))
          this.warnings.push({ percent, state });
      }
    }
  }

  private apply(entry: LeaseEntry, now: number): void {
    if (entry.kind === "open") {
      for (const rule of this.rules) {
        if (!ruleCounts(rule, entry.combination)) continue;
        const bucket = this.storage.bucket(bucketOf(rule, entry.combination, now));
        if (rule.unit !== "concurrency") bucket.used += entry.actual[componentOf(rule.unit)];
      }
      return;
    }
    const lease = this.storage.lease(entry.lease);
    if (!lease) return; // it was forgotten, long after it was charged
    if (lease.state === "charged") this.revive(lease, now);
    if (entry.kind === "settle") this.settle(lease, entry.reserved, entry.actual);
    else this.close(lease, entry, now);
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

  private chargeDue(now: number): void {
    for (const lease of this.storage.leasesDue(now)) {
      if (lease.state === "charged") this.storage.deleteLease(lease.id);
      else this.charge(lease, now);
    }
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

  private grant(want: Want, now: number): Grant {
    const rules = this.rules.filter((rule) => ruleCounts(rule, want.combination));
    if (rules.length === 0) return { kind: "unlimited" };
    const names = rules.map((rule) => bucketOf(rule, want.combination, now));
    const amounts = { ...NO_AMOUNTS };
    const blocking: { rule: LimitRule; name: BucketName; short: number }[] = [];
    const roomOf = new Map<keyof Amounts, number>();
    rules.forEach((rule, index) => {
      const name = names[index];
      if (!name) return;
      const component = componentOf(rule.unit);
      const bucket = this.storage.bucket(name);
      const free = maxAt(rule, now) - bucket.used - bucket.reserved;
      const beyond = free - want.need[component];
      const room = rule.soft ? Infinity : Math.floor(Math.max(0, beyond) / EXTRA_PART);
      const ahead = want.each ? want.each[component] - room : 0;
      const short = Math.max(-beyond, ahead);
      if (!rule.soft && short > 0) blocking.push({ rule, name, short });
      roomOf.set(component, Math.min(roomOf.get(component) ?? Infinity, room));
    });
    if (blocking.length > 0) return this.refuse(want, blocking, now);
    for (const [component, room] of roomOf) {
      const extra = Math.max(0, want.target[component] - want.need[component]);
      const need = want.need[component];
      const one = (want.each ?? want.need)[component];
      const most = Math.min(extra, room);
      // Whole requests only: a part of one would lie idle, and be missed at the edge.
      amounts[component] = need + (one > 0 ? most - (most % one) : most);
    }
    const ends = rules.flatMap((rule, index) => [
      names[index]?.end ?? Infinity,
      rule.raise && rule.raise.until > now ? rule.raise.until : Infinity,
    ]);
    const lifeMs = Math.min(LEASE_MS, ...ends.map((end) => end - now));
    const lease: Lease = {
      id: this.newLeaseId(),
      combination: want.combination,
      buckets: names,
      left: amounts,
      state: "open",
      running: 0,
      grantedAt: now,
      endsAt: now + lifeMs,
      charged: null,
      corrections: 0,
      dueAt: now + lifeMs + REPORT_GRACE_MS,
    };
    this.storage.putLease(lease);
    const states = rules.map((rule, index) => {
      const name = names[index];
      const bucket = name ? this.storage.bucket(name) : null;
      if (bucket) bucket.reserved += amounts[componentOf(rule.unit)];
      return this.stateOf(
        rule,
        name?.subject ?? "",
        bucket ? bucket.used + bucket.reserved : 0,
        now,
      );
    });
    return { kind: "lease", id: lease.id, amounts: { ...amounts }, lifeMs, states };
  }

  private refuse(
    want: Want,
    blocking: { rule: LimitRule; name: BucketName; short: number }[],
    now: number,
  ): Grant {
    const [worst] = blocking.toSorted((a, b) => resetOf(b) - resetOf(a));
    if (!worst) throw new Error("A refusal needs a limit that refuses");
    const { rule, name } = worst;
    const bucket = this.storage.bucket(name);
    const needed = want.need[componentOf(rule.unit)];
    const never = needed > maxAt(rule, now);
    const waitMs = never ? null : this.waitFor(blocking, now);
    const untilReset = name.end === null ? null : name.end - now;
    const setAside = !never && bucket.used + needed <= maxAt(rule, now);
    const soon = Math.min(LEASE_MS, untilReset ?? LEASE_MS);
    const retryAfterMs = never ? null : setAside ? soon : untilReset;
    const state = this.stateOf(rule, name.subject, bucket.used + bucket.reserved, now);
    return {
      kind: "refused",
      refusal: { state, needed, setAside, retryAfterMs, fittingMaxTokens: null },
      waitMs,
    };
  }

  /** When open leases will have ended that hold what every blocking limit is short of. */
  private waitFor(blocking: { name: BucketName; short: number }[], now: number): number | null {
    const short = new Map(blocking.map((one) => [bucketKey(one.name), one.short]));
    for (const lease of this.storage.openLeases(LEASES_LOOKED_AT)) {
      if (lease.endsAt <= now) continue;
      for (const name of lease.buckets) {
        const key = bucketKey(name);
        const missing = short.get(key);
        if (missing !== undefined) short.set(key, missing - lease.left[componentOf(name.unit)]);
      }
      if ([...short.values()].every((missing) => missing <= 0)) return lease.endsAt - now;
    }
    return null;
  }

  private stateOf(rule: LimitRule, subject: string, used: number, now: number): LimitState {
    const max = maxAt(rule, now);
    return {
      ruleId: rule.id,
      keyId: rule.keyId,
      unit: rule.unit,
      window: rule.window,
      model: rule.model,
      endUser: rule.endUser === null ? null : subject,
      soft: rule.soft,
      prepaid: rule.prepaid,
      max,
      used,
      remaining: Math.max(0, max - used),
      resetsAt: windowAt(rule.window, now).end,
    };
  }
}

function bucketOf(rule: LimitRule, combination: Combination, now: number): BucketName {
  const subject = rule.endUser === null ? "" : (combination.endUser ?? "");
  return { ruleId: rule.id, subject, unit: rule.unit, ...windowAt(rule.window, now) };
}

const bucketKey = ({ ruleId, subject, start }: BucketName) =>
  JSON.stringify([ruleId, subject, start]);

/** Concurrency ends with any request; a total never resets. */
const resetOf = ({ rule, name }: { rule: LimitRule; name: BucketName }) =>
  rule.unit === "concurrency" ? 0 : (name.end ?? Infinity);
