import { type Admission, UNLIMITED, type WorstCase } from "../gateway/admission.ts";
import { newId } from "../kernel/ids.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import {
  type Amounts,
  combine,
  type Combination,
  componentOf,
  type Grant,
  type LeaseEntry,
  NO_AMOUNTS,
  ruleCounts,
  type Want,
} from "./lease.ts";
import type { LedgerInput } from "./limit-ledger.ts";
import type { LimitRule } from "./limit-rule.ts";
import type { LimitRefusal, LimitState } from "./limit-state.ts";

/** A lease is followed by the next one when it has less than this left to live, in milliseconds. */
const RENEW_MS = 500;
/** A refusal holds for this long without asking again, so that a flood of refused requests costs the Meter nothing. */
const REFUSAL_MS = 250;
/** The longest wait for somebody else's lease to end, in milliseconds. */
const WAIT_LIMIT_MS = 2_000;
/** What a lease that has ended gives back is there when its isolate has told of it, in milliseconds. */
const REPORT_MS = 100;
/** A lease with less than this left to live is closed with the word that is just going out, in milliseconds. */
const CLOSE_AHEAD_MS = 100;
/** After the Meter could not be reached, it is left alone for this long. */
const UNREACHABLE_MS = 1_000;

/** How soon a request that waits for another one's call looks again, in milliseconds; doubled each time … */
const FIRST_LOOK_MS = 2;
/** … up to this. */
const LAST_LOOK_MS = 16;
/** A call that has not come back by then has died with the request that made it, in milliseconds. */
const CALL_LOST_MS = 8_000;

/** Lanes of a team that an isolate remembers; with a limit for each end user, each of them has one. */
export const LANES_LIMIT = 5_000;
/** A lane that was not used for so long is forgotten, in seconds. */
const IDLE_SECONDS = 30;
/** A request that has not ended by so long after its deadline never will, in milliseconds. */
const LOST_MS = 60_000;

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

/** What an isolate has to say of its leases, as the Meter takes it. */
export type LeaseLog = Pick<LedgerInput, "isolateId" | "firstEntry" | "entries">;

interface HeldLease {
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

interface Lane {
  leases: HeldLease[];
  /** When the next lease was asked for ahead of need; 0 where none is. */
  askingSince: number;
  /** What was admitted in this second, and in the one before. */
  second: number;
  current: Amounts;
  previous: Amounts;
  refused: { refusal: LimitRefusal; need: Amounts; until: number } | null;
}

/** What a request needs in the worst case, and where it may be had. */
interface Needs {
  asking: Asking;
  team: TeamDesk;
  lane: Lane;
  combination: Combination;
  need: Amounts;
  outputCap: number | null;
}

/** A request that waits for the Meter. Requests share calls, and nothing of each other but these plain values. */
interface Waiting {
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

interface TeamDesk {
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

/**
 * An isolate's leases. A warm request is decided here, in memory, by one lease that covers all its limits; the Meter
 * is asked ahead of need, and told in one numbered log what became of everything. Plain values only.
 */
export class LeaseDesk {
  private readonly teams = new Map<string, TeamDesk>();

  /** @throws what the source's `refuse` and `unreachable` make */
  admit(asking: Asking, source: LeaseSource): Admission | Promise<Admission> {
    if (asking.rules.length === 0) return UNLIMITED;
    const combination = combinationOf(asking);
    const rules = asking.rules.filter((rule) => ruleCounts(rule, combination));
    if (rules.length === 0) return UNLIMITED;
    const { need, outputCap } = needOf(rules, asking.worst);
    const team = this.teamOf(asking.teamId);
    const lane = laneOf(team, combination);
    const now = source.now();
    count(lane, need, now);
    const lease = find(lane, need, now);
    if (lease) {
      this.renew({ team, lane, lease, combination, need, source, now });
      return this.reserve({ asking, team, need, outputCap }, lease);
    }
    return this.ask({ asking, source, team, lane, combination, rules, need, outputCap });
  }

  /**
   * Takes leases that came after they were given up: the Meter has set them aside, and charges what nobody closes.
   * @param now the Meter counted their time from when it granted them, which was no later
   */
  takeLate(teamId: string, wants: readonly Want[], grants: readonly Grant[], now: number): void {
    const team = this.teamOf(teamId);
    for (const [index, grant] of grants.entries()) {
      const want = wants[index];
      if (grant.kind !== "lease" || !want) continue;
      hold(team, laneOf(team, want.combination), { ...leaseOf(grant, now), endsAt: now });
    }
  }

  /** A request has ended, as its record says: what it did not take is free again. */
  settle(teamId: string, record: UsageRecord): void {
    const team = this.teams.get(teamId);
    const reservation = team?.reservations.get(record.id);
    if (!team || !reservation) return;
    team.reservations.delete(record.id);
    const actual = {
      requests: 1,
      tokens: record.inputTokens + record.outputTokens,
      micros: record.costMicros,
      slots: 0,
    };
    if (reservation.lease === null) {
      team.entries.push({ kind: "open", combination: reservation.combination, actual });
      return;
    }
    const { lease, reserved } = reservation;
    team.entries.push({ kind: "settle", lease: lease.id, reserved, actual });
    lease.running--;
    lease.kept = combine(lease.kept, reserved, (kept, gone) => kept - gone);
    if (lease.closed) return;
    const taken = { ...combine(actual, reserved, Math.min), slots: 0 };
    lease.left = combine(
      lease.left,
      combine(reserved, taken, (all, gone) => all - gone),
      (left, back) => left + back,
    );
  }

  /** What the Meter has to be told now; leases that have ended are closed with it. */
  log(teamId: string, now: number): LeaseLog | null {
    const team = this.teams.get(teamId);
    if (!team) return null;
    closeEnded(team, now);
    for (const [name, lane] of team.lanes) {
      lane.leases = lane.leases.filter((lease) => !lease.closed);
      if (lane.leases.length === 0 && lane.second < now / 1_000 - IDLE_SECONDS)
        team.lanes.delete(name);
    }
    // A request whose invocation was ended without a word is charged by the Meter at its deadline.
    for (const [id, { deadlineAt }] of team.reservations)
      if (deadlineAt < now - LOST_MS) team.reservations.delete(id);
    const { isolateId, firstEntry, entries } = team;
    if (sizeOf(team) === 0) this.teams.delete(teamId);
    return entries.length === 0 ? null : { isolateId, firstEntry, entries: [...entries] };
  }

  /** The Meter has all entries up to this number for good. */
  acknowledged(teamId: string, { isolateId }: LeaseLog, applied: number): void {
    const team = this.teams.get(teamId);
    if (!team || team.isolateId !== isolateId || applied < team.firstEntry) return;
    team.entries.splice(0, applied - team.firstEntry + 1);
    team.firstEntry = applied + 1;
  }

  /** Whether the Meter waits for a word about this team. */
  owesWord(teamId: string): boolean {
    const team = this.teams.get(teamId);
    return team !== undefined && team.entries.length + team.leases.size > 0;
  }

  /** Everything that is remembered, of all teams. */
  get size(): number {
    let size = 0;
    for (const team of this.teams.values()) size += sizeOf(team);
    return size;
  }

  private async ask(
    needs: Needs & { rules: readonly LimitRule[]; source: LeaseSource },
  ): Promise<Admission> {
    const { asking, source, team, lane, combination, rules, need, outputCap } = needs;
    const { refused } = lane;
    if (refused && refused.until > source.now() && covers(need, refused.need))
      throw refuse(source, asking, refused.refusal, need);
    try {
      for (let attempt = 1; ; attempt++) {
        const answer = await this.answerOf(source, needs);
        if (answer.kind === "unlimited") return UNLIMITED;
        if (answer.kind === "admitted") {
          source.granted();
          return answer.admission;
        }
        // Another request of the same call may have been given more than it needs.
        const spare = find(lane, need, source.now());
        if (spare) return this.reserve(needs, spare);
        const { refusal, waitMs } = answer;
        if (attempt > 1 || waitMs === null || waitMs > WAIT_LIMIT_MS) {
          lane.refused = { refusal, need, until: source.now() + REFUSAL_MS };
          throw refuse(source, asking, refusal, need);
        }
        await source.wait(waitMs + REPORT_MS);
        const free = find(lane, need, source.now());
        if (free) return this.reserve(needs, free);
      }
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      if (rules.some((rule) => !rule.soft && rule.onError === "closed"))
        throw source.unreachable(error.cause);
      const { deadlineAt } = asking;
      team.reservations.set(asking.requestId, { lease: null, combination, deadlineAt });
      return { outputCap, states: () => [] };
    }
  }

  /**
   * Asks the Meter. While a call is under way, wants gather, and leave together with the next one: whichever request
   * sees first that it has come back makes it for all.
   * @throws Unreachable
   */
  private async answerOf(source: LeaseSource, needs: Needs) {
    const { team } = needs;
    if (team.unreachableUntil > source.now()) throw new Unreachable(null);
    const waiting: Waiting = { needs, answer: null, gone: false };
    team.waiting.push(waiting);
    let waitedMs = 0;
    for (let lookMs = FIRST_LOOK_MS; waiting.answer === null;) {
      const callMs = source.now() - team.callingSince;
      const isCalling = callMs >= 0 && callMs < CALL_LOST_MS;
      if (!isCalling && team.waiting.includes(waiting)) await this.call(source, team);
      else {
        if (waitedMs > 2 * CALL_LOST_MS) break;
        await source.wait(lookMs);
        waitedMs += lookMs;
        lookMs = Math.min(2 * lookMs, LAST_LOOK_MS);
      }
    }
    const { answer } = waiting;
    waiting.gone = true;
    if (answer === null) throw new Unreachable(null); // whoever called for it has died
    if (answer.kind === "unreachable") throw new Unreachable(answer.cause);
    return answer;
  }

  /** Sends all wants that wait, and sets aside for each request what it was granted. */
  private async call(source: LeaseSource, team: TeamDesk): Promise<void> {
    const sent = team.waiting.splice(0).filter(({ gone }) => !gone);
    const askedAt = source.now();
    team.callingSince = askedAt;
    try {
      const grants = await source.lease(wantsOf(sent.map(({ needs }) => needs)));
      sent.forEach((waiting, index) => {
        const grant = grants[index] ?? { kind: "unreachable", cause: null };
        if (grant.kind !== "lease") waiting.answer = grant;
        else {
          const { needs, gone } = waiting;
          const lease = hold(team, needs.lane, leaseOf(grant, askedAt));
          if (!gone) waiting.answer = { kind: "admitted", admission: this.reserve(needs, lease) };
        }
      });
    } catch (cause) {
      team.unreachableUntil = source.now() + UNREACHABLE_MS;
      for (const waiting of sent) waiting.answer = { kind: "unreachable", cause };
    } finally {
      team.callingSince = 0;
    }
  }

  /** Asks for the next lease before this one has ended or is used up, so that the next request need not wait. */
  private renew(input: {
    team: TeamDesk;
    lane: Lane;
    lease: HeldLease;
    combination: Combination;
    need: Amounts;
    source: LeaseSource;
    now: number;
  }): void {
    const { team, lane, lease, combination, need, source, now } = input;
    const another = lane.leases.some((held) => held !== lease && held.endsAt - now > RENEW_MS);
    const spare = combine(lease.left, need, (left, one) => left - 2 * one);
    if (another || (lease.endsAt - now > RENEW_MS && covers(spare, NO_AMOUNTS))) return;
    if (now - lane.askingSince < UNREACHABLE_MS) return;
    lane.askingSince = now;
    const asked = source
      .lease([{ combination, need: { ...NO_AMOUNTS }, target: targetOf(lane, need) }])
      .then(([grant]) => {
        if (grant?.kind !== "lease") return;
        hold(team, lane, leaseOf(grant, now));
        source.granted();
        lane.askingSince = 0;
      })
      .catch(() => undefined); // requests ask for themselves then
    source.background(asked);
  }

  private reserve(
    { asking, team, need, outputCap }: Pick<Needs, "asking" | "team" | "need" | "outputCap">,
    lease: HeldLease,
  ): Admission {
    lease.left = combine(lease.left, need, (left, one) => left - one);
    lease.kept = combine(lease.kept, need, (kept, one) => kept + one);
    lease.running++;
    lease.deadlineAt = Math.max(lease.deadlineAt, asking.deadlineAt);
    const { deadlineAt, requestId } = asking;
    team.reservations.set(requestId, { lease, reserved: need, deadlineAt });
    return { outputCap, states: () => statesOf(lease) };
  }

  private teamOf(teamId: string): TeamDesk {
    let team = this.teams.get(teamId);
    if (!team) {
      team = {
        isolateId: newId("isolate"),
        lanes: new Map(),
        leases: new Set(),
        reservations: new Map(),
        entries: [],
        firstEntry: 1,
        unreachableUntil: 0,
        waiting: [],
        callingSince: 0,
      };
      this.teams.set(teamId, team);
    }
    return team;
  }
}

const sizeOf = ({ lanes, leases, reservations, waiting, entries }: TeamDesk): number =>
  lanes.size + leases.size + reservations.size + waiting.length + entries.length;

class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The Meter cannot be reached", { cause });
  }
}

/** A lease as it was granted, with nothing given out. @param askedAt its time counts from before it was asked for */
function leaseOf(grant: Grant & { kind: "lease" }, askedAt: number): HeldLease {
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

/** The first request of a lane asks for what the lane is likely to use besides all those that wait. */
function wantsOf(all: readonly Needs[]): Want[] {
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

/** Only what some limit tells apart, so that requests share leases as far as they can. */
function combinationOf({ rules, keyId, model, endUser }: Asking): Combination {
  return {
    keyId: rules.some((rule) => rule.keyId !== null && rule.keyId === keyId) ? keyId : null,
    model: rules.some((rule) => rule.model === model) ? model : null,
    endUser: rules.some((rule) => rule.endUser === "*" || rule.endUser === endUser)
      ? endUser
      : null,
  };
}

function needOf(rules: readonly LimitRule[], worst: () => WorstCase) {
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
function refuse(
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

function laneOf(team: TeamDesk, { keyId, model, endUser }: Combination): Lane {
  const name = JSON.stringify([keyId, model, endUser]);
  let lane = team.lanes.get(name);
  if (!lane) {
    lane = {
      leases: [],
      askingSince: 0,
      second: 0,
      current: { ...NO_AMOUNTS },
      previous: { ...NO_AMOUNTS },
      refused: null,
    };
    if (team.lanes.size >= LANES_LIMIT) forgetOldest(team.lanes);
    team.lanes.set(name, lane);
  }
  return lane;
}

function count(lane: Lane, need: Amounts, now: number): void {
  const second = Math.floor(now / 1_000);
  if (second !== lane.second) {
    lane.previous = second === lane.second + 1 ? lane.current : { ...NO_AMOUNTS };
    lane.current = { ...NO_AMOUNTS };
    lane.second = second;
  }
  lane.current = combine(lane.current, need, (sum, one) => sum + one);
}

/** What the lane is likely to use within a second, with this request. */
const targetOf = (lane: Lane, need: Amounts): Amounts =>
  combine(combine(lane.previous, lane.current, Math.max), need, (rate, one) => rate + one);

const covers = (held: Amounts, need: Amounts): boolean =>
  held.requests >= need.requests &&
  held.tokens >= need.tokens &&
  held.micros >= need.micros &&
  held.slots >= need.slots;

const find = (lane: Lane, need: Amounts, now: number): HeldLease | undefined =>
  lane.leases.find((lease) => !lease.closed && lease.endsAt > now && covers(lease.left, need));

/** What a forgotten lane still holds is closed when it ends, as every lease is. */
function forgetOldest(lanes: Map<string, Lane>): void {
  const [oldest] = lanes.keys();
  if (oldest !== undefined) lanes.delete(oldest);
}

function hold(team: TeamDesk, lane: Lane, lease: HeldLease): HeldLease {
  lane.leases.push(lease);
  team.leases.add(lease);
  return lease;
}

/** Closes what ends now; a lease that a clock put far into the future has ended as well. */
function closeEnded(team: TeamDesk, now: number): void {
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

/** The limits as they were when the lease was granted, less what it has given out since. */
function statesOf(lease: HeldLease): readonly LimitState[] {
  return lease.states.map((state) => {
    const free = lease.left[componentOf(state.unit)];
    return { ...state, used: state.used - free, remaining: state.remaining + Math.max(0, free) };
  });
}
