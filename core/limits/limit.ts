import type { limits } from "#schema";
import { microsToAmount } from "../kernel/money.ts";
import type { LimitRule, LimitUnit } from "../meter/limit-rule.ts";

/** A limit as it is stored. */
export type LimitRow = typeof limits.$inferSelect;

/** How many limits a team or a key may have, not counting prepaid credits: each takes part in every decision. */
export const LIMITS_PER_OWNER = 20;

/** Whose limits: the team's own, or those of one of its keys. */
export interface LimitOwner {
  teamId: string;
  keyId: string | null;
}

/** A stored limit as the Meter applies it. */
export function toLimitRule(row: LimitRow): LimitRule {
  const { raiseMax, raiseUntil, refillAmount, refillEvery, refillSince } = row;
  return {
    id: row.id,
    keyId: row.keyId,
    prepaid: row.prepaid,
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

/** A quantity as it is shown: money as a decimal string in US dollars, everything else as a number. */
export function shownQuantity(unit: LimitUnit, quantity: number): number | string {
  return unit === "usd" ? microsToAmount(quantity) : quantity;
}
