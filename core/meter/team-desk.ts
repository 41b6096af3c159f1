import type { Admission } from "../gateway/admission.ts";
import { newId } from "../kernel/ids.ts";
import type { Asking } from "./asking.ts";
import { type HeldLease, type Lane, newLane, targetOf } from "./lane.ts";
import {
  type Amounts,
  combine,
  type Combination,
  type Grant,
  type LeaseEntry,
  NO_AMOUNTS,
  type Want,
} from "./lease.ts";

/** Lanes of a team that an isolate remembers; with a limit for each end user, each of them has one. */
export const LANES_LIMIT = 5_000;
/** A lease with less than this left to live is closed with the word that is just going out, in milliseconds. */
const CLOSE_AHEAD_MS = 100;

/** What a request needs in the worst case, and where it may be had. */
export interface Needs {
  asking: Asking;
  team: TeamDesk;
  lane: Lane;
  combination: Combination;
  need: Amounts;
  outputCap: number | null;
}

/** A request that waits for the Meter. Requests share calls, and nothing of each other but these plain values. */
export interface Waiting {
  needs: Needs;
  answer:
    | null
    | { kind: "admitted"; admission: Admission }
    | { kind: "unreachable"; cause: unknown }
    | Exclude<Grant, { kind: "lease" }>;
  /** It has given up: what comes for it is anybody's. */
  gone: boolean;
}

type Reservation = { deadlineAt: number } & (
  | { lease: HeldLease; reserved: Amounts }
  | { lease: null; combination: Combination }
);

/** What an isolate has of one team. */
export interface TeamDesk {
  /** Entries are numbered under this name; a desk that was forgotten comes back under another one. */
  isolateId: string;
  lanes: Map<string, Lane>;
  /** All leases that are not closed, also those of lanes that were forgotten. */
  leases: Set<HeldLease>;
  reservations: Map<string, Reservation>;
  /** What the Meter has not yet acknowledged, in order. */
  entries: LeaseEntry[];
  firstEntry: number;
  unreachableUntil: number;
  /** Requests whose wants leave with the next call. */
  waiting: Waiting[];
  /** When the call was made that is under way; 0 where none is. */
  callingSince: number;
}

export const newTeamDesk = (): TeamDesk => ({
  isolateId: newId("isolate"),
  lanes: new Map(),
  leases: new Set(),
  reservations: new Map(),
  entries: [],
  firstEntry: 1,
  unreachableUntil: 0,
  waiting: [],
  callingSince: 0,
});

/** How many things are remembered. */
export const sizeOf = ({ lanes, leases, reservations, waiting, entries }: TeamDesk): number =>
  lanes.size + leases.size + reservations.size + waiting.length + entries.length;

/** The lane of a combination; a new one where there is none. */
export function laneOf(team: TeamDesk, { keyId, model, endUser }: Combination): Lane {
  const name = JSON.stringify([keyId, model, endUser]);
  let lane = team.lanes.get(name);
  if (!lane) {
    lane = newLane();
    if (team.lanes.size >= LANES_LIMIT) forgetOldest(team.lanes);
    team.lanes.set(name, lane);
  }
  return lane;
}

/** What a forgotten lane still holds is closed when it ends, as every lease is. */
function forgetOldest(lanes: Map<string, Lane>): void {
  const [oldest] = lanes.keys();
  if (oldest !== undefined) lanes.delete(oldest);
}

/** Takes a lease into its lane. */
export function hold(team: TeamDesk, lane: Lane, lease: HeldLease): HeldLease {
  lane.leases.push(lease);
  team.leases.add(lease);
  return lease;
}

/** Closes what ends now; a lease that a clock put far into the future has ended as well. */
export function closeEnded(team: TeamDesk, now: number): void {
  for (const lease of team.leases) {
    if (lease.endsAt > now + CLOSE_AHEAD_MS && lease.endsAt <= now + 5_000) continue;
    lease.closed = true;
    team.leases.delete(lease);
    const deadlineMs = Math.max(0, lease.deadlineAt - now);
    team.entries.push({
      kind: "close",
      lease: lease.id,
      keep: { ...lease.kept },
      running: lease.running,
      deadlineMs,
    });
  }
}

/** The first request of a lane asks for what the lane is likely to use besides all those that wait. */
export function wantsOf(all: readonly Needs[]): Want[] {
  const sums = new Map<Lane, Amounts>();
  for (const { lane, need } of all)
    sums.set(
      lane,
      combine(sums.get(lane) ?? NO_AMOUNTS, need, (sum, one) => sum + one),
    );
  return all.map(({ lane, combination, need }) => {
    const sum = sums.get(lane);
    if (!sum) return { combination, need, target: need };
    sums.delete(lane);
    const others = combine(sum, need, (every, own) => every - own);
    const spare = combine(targetOf(lane, need), others, (rate, theirs) => rate - theirs);
    return { combination, need, target: combine(spare, need, Math.max) };
  });
}
