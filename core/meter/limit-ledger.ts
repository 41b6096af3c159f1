import { type GrantingDesk, grantLease } from "./grant-lease.ts";
import {
  componentOf,
  type Correction,
  type Grant,
  type LeaseEntry,
  ruleCounts,
  type Want,
} from "./lease.ts";
import { LeaseAccounts } from "./lease-accounts.ts";
import { LedgerStorage, type LedgerSql } from "./ledger-storage.ts";
import type { LimitRule } from "./limit-rule.ts";
import type { LimitState, LimitUsage, LimitViewer } from "./limit-state.ts";
import { windowAt } from "./limit-windows.ts";
import { bucketOf, stateOf } from "./rule-buckets.ts";

/** An isolate that was silent for so long is gone with its entries. */
const ISOLATE_KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** Counters of windows that ended stay this long, for clocks that step back. */
const WINDOW_KEPT_MS = 10 * 60 * 1000;
/** Where a soft limit warns, in percent of its maximum. */
const WARNING_PERCENTS = [80, 100];
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
  private readonly accounts: LeaseAccounts;
  private readonly newLeaseId: () => string;
  private rules: readonly LimitRule[] = [];
  private warnings: LimitWarning[] = [];

  constructor(sql: LedgerSql, newLeaseId: () => string) {
    this.storage = new LedgerStorage(sql);
    this.accounts = new LeaseAccounts(this.storage);
    this.newLeaseId = newLeaseId;
  }

  /** Other rules hold from now on. Counters stay with their rule's id. */
  setRules(rules: readonly LimitRule[]): void {
    this.rules = rules;
  }

  /** Takes an isolate's entries and grants what it wants, in one transaction. */
  sync(input: LedgerInput, now: number): LedgerOutput {
    return this.write(now, () => {
      this.accounts.chargeDue(now);
      const before = this.storage.applied(input.isolateId);
      const applied = Math.max(before, input.firstEntry + input.entries.length - 1);
      input.entries.forEach((entry, index) => {
        if (input.firstEntry + index > before) this.apply(entry, now);
      });
      if (applied > before) this.storage.setApplied(input.isolateId, applied, now);
      const { storage, rules, newLeaseId } = this;
      const desk: GrantingDesk = { storage, rules, newLeaseId };
      return { applied, grants: input.wants.map((want) => grantLease(desk, want, now)) };
    });
  }

  /** Charges leases that nobody reported, and forgets what is over. The rules must be those that hold. */
  sweep(now: number): Pick<LedgerOutput, "corrections" | "warnings"> {
    const ruleIds = this.rules.map(({ id }) => id);
    return this.write(now, () => {
      this.accounts.chargeDue(now);
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
    const state = stateOf(rule, subject, bucket.used + bucket.reserved, now);
    const raise = rule.raise && rule.raise.until > now ? rule.raise : null;
    const { used, reserved } = bucket;
    return { ...state, used, reserved, onError: rule.onError, raise };
  }

  private write<T extends object>(
    now: number,
    work: () => T,
  ): T & Pick<LedgerOutput, "corrections" | "warnings"> {
    this.accounts.takeCorrections(); // of a write that failed and left nothing
    this.warnings = [];
    const result = this.storage.write(() => {
      const done = work();
      this.warn(now);
      return done;
    });
    const corrections = this.accounts.takeCorrections();
    return { ...result, corrections, warnings: this.warnings };
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
      const state = stateOf(rule, bucket.subject, level, now);
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
    this.accounts.apply(entry, now);
  }
}
