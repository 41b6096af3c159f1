import { type Amounts, combine, componentOf, type Grant, NO_AMOUNTS } from "./lease.ts";
import type { LimitRefusal, LimitState } from "./limit-state.ts";

/** A lease that an isolate gives out of. */
export interface HeldLease {
  id: string;
  left: Amounts;
  endsAt: number;
  states: LimitState[];
  /** What running requests have set aside, and how many they are. */
  kept: Amounts;
  running: number;
  deadlineAt: number;
  closed: boolean;
}

/** An isolate's leases of one combination, and how much it uses of them. */
export interface Lane {
  leases: HeldLease[];
  /** When the next lease was asked for ahead of need; 0 where none is. */
  askingSince: number;
  /** What was admitted in this second, and in the one before. */
  second: number;
  current: Amounts;
  previous: Amounts;
  refused: { refusal: LimitRefusal; need: Amounts; until: number } | null;
}

export const newLane = (): Lane => ({
  leases: [],
  askingSince: 0,
  second: 0,
  current: { ...NO_AMOUNTS },
  previous: { ...NO_AMOUNTS },
  refused: null,
});

/** A lease as it was granted, with nothing given out. @param askedAt its time counts from before it was asked for */
export function leaseOf(grant: Grant & { kind: "lease" }, askedAt: number): HeldLease {
  const { id, amounts, lifeMs, states } = grant;
  return {
    id,
    left: { ...amounts },
    endsAt: askedAt + lifeMs,
    states,
    kept: { ...NO_AMOUNTS },
    running: 0,
    deadlineAt: 0,
    closed: false,
  };
}

/** Notes that a request has asked, for the lane's rate. */
export function count(lane: Lane, need: Amounts, now: number): void {
  const second = Math.floor(now / 1_000);
  if (second !== lane.second) {
    lane.previous = second === lane.second + 1 ? lane.current : { ...NO_AMOUNTS };
    lane.current = { ...NO_AMOUNTS };
    lane.second = second;
  }
  lane.current = combine(lane.current, need, (sum, one) => sum + one);
}

/** What the lane is likely to use within a second, with this request. */
export const targetOf = (lane: Lane, need: Amounts): Amounts =>
  combine(combine(lane.previous, lane.current, Math.max), need, (rate, one) => rate + one);

/** Whether what is held is enough. */
export const covers = (held: Amounts, need: Amounts): boolean =>
  held.requests >= need.requests &&
  held.tokens >= need.tokens &&
  held.micros >= need.micros &&
  held.slots >= need.slots;

/** A lease that has enough left for the request. */
export const find = (lane: Lane, need: Amounts, now: number): HeldLease | undefined =>
  lane.leases.find((lease) => !lease.closed && lease.endsAt > now && covers(lease.left, need));

/** The limits as they were when the lease was granted, less what it has given out since. */
export function statesOf(lease: HeldLease): readonly LimitState[] {
  return lease.states.map((state) => {
    const free = lease.left[componentOf(state.unit)];
    return { ...state, used: state.used - free, remaining: state.remaining + Math.max(0, free) };
  });
}
