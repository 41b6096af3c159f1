import type { Combination } from "./lease.ts";
import type { BucketName } from "./ledger-storage.ts";
import type { LimitRule } from "./limit-rule.ts";
import type { LimitState } from "./limit-state.ts";
import { maxAt, windowAt } from "./limit-windows.ts";

/** The bucket that a rule counts a combination in now. */
export function bucketOf(rule: LimitRule, combination: Combination, now: number): BucketName {
  const subject = rule.endUser === null ? "" : (combination.endUser ?? "");
  return { ruleId: rule.id, subject, unit: rule.unit, ...windowAt(rule.window, now) };
}

/** What tells buckets apart. */
export const bucketKey = ({ ruleId, subject, start }: BucketName) =>
  JSON.stringify([ruleId, subject, start]);

/** How far a rule is used up. @param subject the end user that is counted by itself, or `''` */
export function stateOf(rule: LimitRule, subject: string, used: number, now: number): LimitState {
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
