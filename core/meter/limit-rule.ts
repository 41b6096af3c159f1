/** What can be limited. Money is in micro-dollars inside. */
export const LIMIT_UNITS = ["requests", "tokens", "usd", "concurrency"] as const;
export type LimitUnit = (typeof LIMIT_UNITS)[number];

/** Windows are fixed and aligned to UTC; weeks begin on Monday. `total` never ends. */
export const LIMIT_WINDOWS = ["second", "minute", "hour", "day", "week", "month", "total"] as const;
export type LimitWindow = (typeof LIMIT_WINDOWS)[number];

/** One limit as the Meter applies it: plain values only, since it travels to isolates. */
export interface LimitRule {
  /** `lim_…` */
  id: string;
  /** The key that it is set on; null where it is the team's. */
  keyId: string | null;
  /** The team's prepaid credits. */
  prepaid: boolean;
  unit: LimitUnit;
  /** Null for concurrency only. */
  window: LimitWindow | null;
  /** Requests, tokens, micro-dollars or running requests. */
  max: number;
  /** Only requests for this model count; null counts all. */
  model: string | null;
  /** `*` counts each end user for itself, a name only that one; null counts all together. */
  endUser: string | null;
  /** A soft limit warns, and refuses nothing. */
  soft: boolean;
  /** What holds when the Meter cannot be reached. */
  onError: "open" | "closed";
  /** A temporary raise: `max` until then (milliseconds since 1970). */
  raise: { max: number; until: number } | null;
  /** Prepaid credits (usd, total): this much is added to `max` at the start of each period after `since`. */
  refill: { amount: number; every: "day" | "week" | "month"; since: number } | null;
}
