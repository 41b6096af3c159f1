import {
  type Amounts,
  componentOf,
  type Grant,
  NO_AMOUNTS,
  ruleCounts,
  type Want,
} from "./lease.ts";
import { REPORT_GRACE_MS } from "./lease-accounts.ts";
import type { BucketName, Lease, LedgerStorage } from "./ledger-storage.ts";
import type { LimitRule } from "./limit-rule.ts";
import { maxAt } from "./limit-windows.ts";
import { bucketKey, bucketOf, stateOf } from "./rule-buckets.ts";

/** The longest life of a lease, in milliseconds. */
const LEASE_MS = 1_000;
/** Leases for more than a request take at most this part of what is free, so that they shrink towards the edge. */
const EXTRA_PART = 4;
/** Open leases that are looked at to say how long waiting takes. */
const LEASES_LOOKED_AT = 500;

/** What leases are granted by. */
export interface GrantingDesk {
  storage: LedgerStorage;
  rules: readonly LimitRule[];
  newLeaseId(): string;
}

/** A limit that stands in the way, and how much it is short of. */
interface Blocking {
  rule: LimitRule;
  name: BucketName;
  short: number;
}

/** Grants what fits into all limits of the asker, or says which one stands in the way. */
export function grantLease(desk: GrantingDesk, want: Want, now: number): Grant {
  const { storage } = desk;
  const rules = desk.rules.filter((rule) => ruleCounts(rule, want.combination));
  if (rules.length === 0) return { kind: "unlimited" };
  const names = rules.map((rule) => bucketOf(rule, want.combination, now));
  const amounts = { ...NO_AMOUNTS };
  const blocking: Blocking[] = [];
  const roomOf = new Map<keyof Amounts, number>();
  rules.forEach((rule, index) => {
    const name = names[index];
    if (!name) return;
    const component = componentOf(rule.unit);
    const bucket = storage.bucket(name);
    const free = maxAt(rule, now) - bucket.used - bucket.reserved;
    const beyond = free - want.need[component];
    const room = rule.soft ? Infinity : Math.floor(Math.max(0, beyond) / EXTRA_PART);
    const ahead = want.each ? want.each[component] - room : 0;
    const short = Math.max(-beyond, ahead);
    if (!rule.soft && short > 0) blocking.push({ rule, name, short });
    roomOf.set(component, Math.min(roomOf.get(component) ?? Infinity, room));
  });
  if (blocking.length > 0) return refuse(storage, want, blocking, now);
  for (const [component, room] of roomOf) {
    const extra = Math.max(0, want.target[component] - want.need[component]);
    const need = want.need[component];
    const one = (want.each ?? want.need)[component];
    const most = Math.min(extra, room);
    // Whole requests only: a part of one would lie idle, and be missed at the edge.
    amounts[component] = need + (one > 0 ? most - (most % one) : most);
  }
  const ends = rules.flatMap((rule, index) => [
    names[index]?.end ?? Infinity,
    rule.raise && rule.raise.until > now ? rule.raise.until : Infinity,
  ]);
  const lifeMs = Math.min(LEASE_MS, ...ends.map((end) => end - now));
  const lease: Lease = {
    id: desk.newLeaseId(),
    combination: want.combination,
    buckets: names,
    left: amounts,
    state: "open",
    running: 0,
    grantedAt: now,
    endsAt: now + lifeMs,
    charged: null,
    corrections: 0,
    dueAt: now + lifeMs + REPORT_GRACE_MS,
  };
  storage.putLease(lease);
  const states = rules.map((rule, index) => {
    const name = names[index];
    const bucket = name ? storage.bucket(name) : null;
    if (bucket) bucket.reserved += amounts[componentOf(rule.unit)];
    return stateOf(rule, name?.subject ?? "", bucket ? bucket.used + bucket.reserved : 0, now);
  });
  return { kind: "lease", id: lease.id, amounts: { ...amounts }, lifeMs, states };
}

function refuse(
  storage: LedgerStorage,
  want: Want,
  blocking: readonly Blocking[],
  now: number,
): Grant {
  const [worst] = blocking.toSorted((a, b) => resetOf(b) - resetOf(a));
  if (!worst) throw new Error("A refusal needs a limit that refuses");
  const { rule, name } = worst;
  const bucket = storage.bucket(name);
  const needed = want.need[componentOf(rule.unit)];
  const never = needed > maxAt(rule, now);
  const waitMs = never ? null : waitFor(storage, blocking, now);
  const untilReset = name.end === null ? null : name.end - now;
  const setAside = !never && bucket.used + needed <= maxAt(rule, now);
  const soon = Math.min(LEASE_MS, untilReset ?? LEASE_MS);
  const retryAfterMs = never ? null : setAside ? soon : untilReset;
  const state = stateOf(rule, name.subject, bucket.used + bucket.reserved, now);
  return {
    kind: "refused",
    refusal: { state, needed, setAside, retryAfterMs, fittingMaxTokens: null },
    waitMs,
  };
}

/** When open leases will have ended that hold what every blocking limit is short of. */
function waitFor(
  storage: LedgerStorage,
  blocking: readonly Blocking[],
  now: number,
): number | null {
  const short = new Map(blocking.map((one) => [bucketKey(one.name), one.short]));
  for (const lease of storage.openLeases(LEASES_LOOKED_AT)) {
    if (lease.endsAt <= now) continue;
    for (const name of lease.buckets) {
      const key = bucketKey(name);
      const missing = short.get(key);
      if (missing !== undefined) short.set(key, missing - lease.left[componentOf(name.unit)]);
    }
    if ([...short.values()].every((missing) => missing <= 0)) return lease.endsAt - now;
  }
  return null;
}

/** Concurrency ends with any request; a total never resets. */
const resetOf = ({ rule, name }: { rule: LimitRule; name: BucketName }) =>
  rule.unit === "concurrency" ? 0 : (name.end ?? Infinity);
