import type { limits } from "#schema";
import type { LimitRule } from "../meter/limit-rule.ts";

/** A limit as it is stored. */
export type LimitRow = typeof limits.$inferSelect;

/** A stored limit as the Meter applies it. */
export function toLimitRule(row: LimitRow): LimitRule {
  const { raiseMax, raiseUntil, refillAmount, refillEvery, refillSince } = row;
  return {
    id: row.id,
    keyId: row.keyId,
    unit: row.unit,
    window: row.window,
    max: row.max,
    model: row.model,
    endUser: row.endUser,
    soft: row.soft,
    onError: row.onError,
    raise:
      raiseMax === null || raiseUntil === null
        ? null
        : { max: raiseMax, until: raiseUntil.getTime() },
    refill:
      refillAmount === null || refillEvery === null || refillSince === null
        ? null
        : { amount: refillAmount, every: refillEvery, since: refillSince.getTime() },
  };
}
