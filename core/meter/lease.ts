import type { LimitRule, LimitUnit } from "./limit-rule.ts";
import type { LimitRefusal, LimitState } from "./limit-state.ts";

/** What a request takes, or a lease holds, of everything that can be limited. */
export interface Amounts {
  requests: number;
  tokens: number;
  micros: number;
  /** Running requests. */
  slots: number;
}

export const NO_AMOUNTS: Readonly<Amounts> = { requests: 0, tokens: 0, micros: 0, slots: 0 };

const COMPONENT = {
  requests: "requests",
  tokens: "tokens",
  usd: "micros",
  concurrency: "slots",
} as const satisfies Record<LimitUnit, keyof Amounts>;

/** Which of the amounts a unit counts. */
export const componentOf = (unit: LimitUnit): keyof Amounts => COMPONENT[unit];

export function combine(
  left: Amounts,
  right: Amounts,
  by: (left: number, right: number) => number,
): Amounts {
  return {
    requests: by(left.requests, right.requests),
    tokens: by(left.tokens, right.tokens),
    micros: by(left.micros, right.micros),
    slots: by(left.slots, right.slots),
  };
}

/** What the rules tell requests apart by; null where they don't. */
export interface Combination {
  keyId: string | null;
  model: string | null;
  endUser: string | null;
}

/** Whether a rule counts the requests of a combination. `*` counts only requests that name an end user. */
export function ruleCounts(rule: LimitRule, { keyId, model, endUser }: Combination): boolean {
  if (rule.keyId !== null && rule.keyId !== keyId) return false;
  if (rule.model !== null && rule.model !== model) return false;
  if (rule.endUser === null) return true;
  return rule.endUser === "*" ? endUser !== null : rule.endUser === endUser;
}

/** What an isolate asks a lease for. */
export interface Want {
  combination: Combination;
  /** The worst case of the request that waits; all zero where the lease is wanted ahead of need. */
  need: Amounts;
  /** Of a lease that is wanted ahead of need: what one request takes. A lease that holds none of it is not granted. */
  each?: Amounts;
  /** What the isolate expects to use within a lease's life, with the need. */
  target: Amounts;
}

export type Grant =
  /** The asker's need is its own whatever the time; the rest may be used for `lifeMs` from before it asked. */
  | { kind: "lease"; id: string; amounts: Amounts; lifeMs: number; states: LimitState[] }
  /** `waitMs`: when leases end that would free enough; null where none would. */
  | { kind: "refused"; refusal: LimitRefusal; waitMs: number | null }
  | { kind: "unlimited" };

/** What an isolate tells about its leases, in order. Each entry has a number and counts once. */
export type LeaseEntry =
  /** A request has ended: what had been set aside for it, and what it took. */
  | { kind: "settle"; lease: string; reserved: Amounts; actual: Amounts }
  /** A request that ran without a lease, while the Meter was out of reach. */
  | { kind: "open"; combination: Combination; actual: Amounts }
  /** The lease is used no more, but for requests that still run. */
  | { kind: "close"; lease: string; keep: Amounts; running: number; deadlineMs: number };

/** A charge that stands for requests nobody reported, or, below zero, takes one back. It becomes a usage record. */
export interface Correction {
  lease: string;
  /** Counts a lease's corrections from 1, so that each is written once. */
  number: number;
  /** When the lease was granted. */
  at: number;
  combination: Combination;
  requests: number;
  tokens: number;
  micros: number;
}
