import type { WorstCase } from "../gateway/admission.ts";
import {
  type Amounts,
  type Combination,
  componentOf,
  type Grant,
  NO_AMOUNTS,
  type Want,
} from "./lease.ts";
import type { LimitRule } from "./limit-rule.ts";
import type { LimitRefusal, LimitState } from "./limit-state.ts";

/** A request that asks to be let through. */
export interface Asking {
  teamId: string;
  requestId: string;
  /** All limits of the team and its keys. */
  rules: readonly LimitRule[];
  keyId: string | null;
  model: string;
  endUser: string | null;
  worst: () => WorstCase;
  /** The largest `max_tokens` with which it would take no more than this of tokens or money; null where none would. */
  fitting?: (unit: "tokens" | "usd", room: number) => number | null;
  /** When the request will have ended, milliseconds since 1970. */
  deadlineAt: number;
}

/** How a request reaches its team's Meter. */
export interface LeaseSource {
  lease(wants: Want[]): Promise<Grant[]>;
  /** A lease was granted: something has to be told to the Meter within about a second. */
  granted(): void;
  background(work: Promise<unknown>): void;
  wait(ms: number): Promise<void>;
  refuse(refusal: LimitRefusal, states: readonly LimitState[]): Error;
  /** Of a request whose limits close when the Meter cannot be reached. */
  unreachable(cause: unknown): Error;
  now(): number;
}

/** Only what some limit tells apart, so that requests share leases as far as they can. */
export function combinationOf({ rules, keyId, model, endUser }: Asking): Combination {
  return {
    keyId: rules.some((rule) => rule.keyId !== null && rule.keyId === keyId) ? keyId : null,
    model: rules.some((rule) => rule.model === model) ? model : null,
    endUser: rules.some((rule) => rule.endUser === "*" || rule.endUser === endUser)
      ? endUser
      : null,
  };
}

/** What a request takes in the worst case, as far as one of these rules counts it. */
export function needOf(rules: readonly LimitRule[], worst: () => WorstCase) {
  const need: Amounts = { ...NO_AMOUNTS };
  let outputCap: number | null = null;
  for (const { unit } of rules) {
    if (unit === "requests") need.requests = 1;
    else if (unit === "concurrency") need.slots = 1;
    else if (outputCap === null) {
      const most = worst();
      outputCap = most.outputCap;
      for (const rule of rules) {
        if (rule.unit === "tokens") need.tokens = most.tokens;
        if (rule.unit === "usd") need.micros = most.micros;
      }
    }
  }
  return { need, outputCap };
}

/** The error of a refused request, with what would have fitted: now, or ever where this one never can. */
export function refuse(
  source: LeaseSource,
  { fitting }: Asking,
  refusal: LimitRefusal,
  need: Amounts,
): Error {
  const { state } = refusal;
  const { unit, max, remaining } = state;
  const needed = need[componentOf(unit)];
  const room = needed > max ? max : remaining;
  const fittingMaxTokens =
    fitting && (unit === "tokens" || unit === "usd") ? fitting(unit, room) : null;
  // A refusal that is remembered may have been of a smaller request.
  const never = needed > max ? { setAside: false, retryAfterMs: null } : {};
  return source.refuse({ ...refusal, ...never, needed, fittingMaxTokens }, [state]);
}
