import { type Admission, UNLIMITED } from "../gateway/admission.ts";
import type { UsageRecord } from "../usage/usage-record.ts";
import { type Asking, combinationOf, type LeaseSource, needOf, refuse } from "./asking.ts";
import {
  count,
  covers,
  find,
  type HeldLease,
  type Lane,
  leaseOf,
  statesOf,
  targetOf,
} from "./lane.ts";
import {
  type Amounts,
  combine,
  type Combination,
  type Grant,
  NO_AMOUNTS,
  ruleCounts,
  type Want,
} from "./lease.ts";
import type { LedgerInput } from "./limit-ledger.ts";
import type { LimitRule } from "./limit-rule.ts";
import {
  closeEnded,
  hold,
  laneOf,
  type Needs,
  newTeamDesk,
  sizeOf,
  type TeamDesk,
  type Waiting,
  wantsOf,
} from "./team-desk.ts";

/** A lease is followed by the next one when it has less than this left to live, in milliseconds. */
const RENEW_MS = 500;
/** A refusal holds for this long without asking again, so that a flood of refused requests costs the Meter nothing. */
const REFUSAL_MS = 250;
/** The longest wait for somebody else's lease to end, in milliseconds. */
const WAIT_LIMIT_MS = 2_000;
/** What a lease that has ended gives back is there when its isolate has told of it, in milliseconds. */
const REPORT_MS = 100;
/** After the Meter could not be reached, it is left alone for this long. */
const UNREACHABLE_MS = 1_000;

/** How soon a request that waits for another one's call looks again, in milliseconds; doubled each time … */
const FIRST_LOOK_MS = 2;
/** … up to this. */
const LAST_LOOK_MS = 16;
/** A call that has not come back by then has died with the request that made it, in milliseconds. */
const CALL_LOST_MS = 8_000;

/** A lane that was not used for so long is forgotten, in seconds. */
const IDLE_SECONDS = 30;
/** A request that has not ended by so long after its deadline never will, in milliseconds. */
const LOST_MS = 60_000;

/** What an isolate has to say of its leases, as the Meter takes it. */
export type LeaseLog = Pick<LedgerInput, "isolateId" | "firstEntry" | "entries">;

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
      .lease([{ combination, need: { ...NO_AMOUNTS }, each: need, target: targetOf(lane, need) }])
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
      team = newTeamDesk();
      this.teams.set(teamId, team);
    }
    return team;
  }
}

class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The Meter cannot be reached", { cause });
  }
}
