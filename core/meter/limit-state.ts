import type { LimitRule, LimitUnit, LimitWindow } from "./limit-rule.ts";

/** How far one limit is used up, for one subject, in its present window. Quantities are in the rule's unit. */
export interface LimitState {
  /** `lim_…` */
  ruleId: string;
  /** The key that the limit is set on; null where it is the team's. */
  keyId: string | null;
  unit: LimitUnit;
  /** Null for concurrency only. */
  window: LimitWindow | null;
  /** The model that it is for; null for all. */
  model: string | null;
  /** The end user whose part this is; null where the limit counts all together. */
  endUser: string | null;
  soft: boolean;
  /** The team's prepaid credits. */
  prepaid: boolean;
  /** What holds right now, with raises and refills. */
  max: number;
  /** Settled requests, and what is set aside for running ones. */
  used: number;
  /** Never below zero. */
  remaining: number;
  /** When the window ends, milliseconds since 1970; null for `total` and concurrency, which have no window. */
  resetsAt: number | null;
}

/** A limit as it is shown: what was used for good, and what is only set aside. */
export interface LimitUsage extends Omit<LimitState, "used">, Pick<LimitRule, "onError" | "raise"> {
  /** Settled requests only. */
  used: number;
  /** Leased to isolates, or set aside for running requests; most of it comes back. */
  reserved: number;
}

/** Whose limits are looked at. */
export interface LimitViewer {
  /** The key whose limits are shown beside the team's; null for the team's alone, `*` for those of all keys. */
  keyId: string | null;
  /** The end user whose part of limits by end user is shown; null for none's, `*` for the fullest ones'. */
  endUser: string | null;
}

/** Why a request was not let through: the limit that stood in its way for longest. */
export interface LimitRefusal {
  state: LimitState;
  /** What the request would have needed in the worst case. */
  needed: number;
  /** What is short is not used up but set aside for running requests, and most of that comes back. */
  setAside: boolean;
  /** When trying again may help, in milliseconds from now; null where only another budget does. */
  retryAfterMs: number | null;
  /**
   * The largest `max_tokens` with which it would fit right now, or, where it is larger than the whole limit, could
   * fit at all; null where none would do.
   */
  fittingMaxTokens: number | null;
}

/** What a limit counts and for how long, as statistics tell limits apart. */
export const limitName = ({ unit, window }: LimitState) =>
  window === null ? unit : `${unit}/${window}`;
