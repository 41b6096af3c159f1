import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Amounts,
  combine,
  type Correction,
  type Grant,
  type LeaseEntry,
  NO_AMOUNTS,
} from "#core/meter/lease.ts";
import { LimitLedger } from "#core/meter/limit-ledger.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import { openNodeSql } from "#test/telegram/node-sql.ts";

/** The Meter's ledger against random requests, settlements, lost and repeated calls, dead isolates and odd clocks. */

const START = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;
const EVERYBODY = { keyId: "*", endUser: "*" };

function rule(more: Partial<LimitRule>): LimitRule {
  const usual = {
    keyId: null,
    prepaid: false,
    model: null,
    endUser: null,
    soft: false,
    raise: null,
    refill: null,
  };
  return {
    id: "lim_1",
    unit: "requests",
    window: "total",
    max: 20,
    onError: "open",
    ...usual,
    ...more,
  };
}

const RULES = [
  rule({ id: "lim_requests", max: 60 }),
  rule({ id: "lim_minute", window: "minute", max: 25 }),
  rule({ id: "lim_tokens", unit: "tokens", max: 4_000 }),
  rule({ id: "lim_usd", unit: "usd", max: 9_000 }),
  rule({ id: "lim_running", unit: "concurrency", window: null, max: 8 }),
  rule({ id: "lim_key", keyId: "key_a", unit: "usd", max: 3_000 }),
  rule({ id: "lim_user", endUser: "*", unit: "tokens", max: 900 }),
];

const COMBINATIONS = ["key_a", null].flatMap((keyId) =>
  ["ann", "bob", null].map((endUser) => ({ keyId, model: null, endUser })),
);

function makeLedger(rules: LimitRule[] = RULES) {
  let leases = 0;
  const ledger = new LimitLedger(openNodeSql(), () => `lease_${++leases}`);
  ledger.setRules(rules);
  return ledger;
}

interface HeldLease {
  id: string;
  free: Amounts;
  running: Amounts[];
  closed: boolean;
  combination: number;
}

/** An isolate as the ledger sees it: it forgets no entry until the Meter has it. */
class Isolate {
  readonly id: string;
  readonly leases: HeldLease[] = [];
  entries: LeaseEntry[] = [];
  firstEntry = 1;

  constructor(id: string) {
    this.id = id;
  }

  acknowledge(applied: number) {
    const known = applied - this.firstEntry + 1;
    if (known <= 0) return;
    this.entries.splice(0, known);
    this.firstEntry += known;
  }

  hold(combination: number, need: Amounts, grant: Grant) {
    if (grant.kind !== "lease") return;
    const free = combine(grant.amounts, need, (all, mine) => all - mine);
    this.leases.push({ id: grant.id, free, running: [need], closed: false, combination });
  }

  close(lease: HeldLease) {
    if (lease.closed) return;
    lease.closed = true;
    const sum = (left: number, right: number) => left + right;
    const keep = lease.running.reduce((all, one) => combine(all, one, sum), NO_AMOUNTS);
    const running = lease.running.length;
    this.entries.push({ kind: "close", lease: lease.id, keep, running, deadlineMs: 60_000 });
  }

  settle(lease: HeldLease, share: number): Amounts | null {
    const reserved = lease.running.pop();
    if (!reserved) return null;
    const part = (amount: number) => Math.floor(amount * share);
    const { requests, tokens, micros } = reserved;
    const actual = { requests, tokens: part(tokens), micros: part(micros), slots: 0 };
    this.entries.push({ kind: "settle", lease: lease.id, reserved, actual });
    if (!lease.closed) {
      lease.free = combine(
        lease.free,
        combine(reserved, actual, (all, used) => all - used),
        (left, right) => left + right,
      );
    }
    return actual;
  }
}

const action = fc.record({
  kind: fc.constantFrom("ask", "ask", "take", "settle", "settle", "close", "sync", "die", "clock"),
  isolate: fc.nat(3),
  combination: fc.nat(COMBINATIONS.length - 1),
  pick: fc.nat(20),
  tokens: fc.integer({ min: 1, max: 300 }),
  micros: fc.integer({ min: 1, max: 900 }),
  extra: fc.integer({ min: 1, max: 6 }),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  delivery: fc.constantFrom("whole", "whole", "answer lost", "lost", "twice"),
  step: fc.integer({ min: -5_000, max: 40_000 }),
});

describe("the ledger", () => {
  it("never gives away more than a limit has, loses nothing and leaks nothing", () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 150 }), (actions) => {
        const ledger = makeLedger();
        let now = START;
        let born = 0;
        const isolates = Array.from({ length: 4 }, () => new Isolate(`isolate-${++born}`));
        const corrections: Correction[] = [];
        const settled: { combination: number; actual: Amounts; key: string }[] = [];
        const delivered = new Set<string>();
        /** What an earlier call carried, to arrive again at any later time. */
        let late: Parameters<LimitLedger["sync"]>[0] | null = null;

        const arrive = (input: Parameters<LimitLedger["sync"]>[0]) => {
          const output = ledger.sync(input, now);
          corrections.push(...output.corrections);
          input.entries.forEach((_, index) =>
            delivered.add(`${input.isolateId}:${input.firstEntry + index}`),
          );
          return output;
        };
        const call = (
          isolate: Isolate,
          wants: Parameters<LimitLedger["sync"]>[0]["wants"],
          delivery: string,
        ) => {
          const { id: isolateId, firstEntry } = isolate;
          const input = { isolateId, firstEntry, entries: [...isolate.entries], wants };
          if (delivery === "lost") return null;
          const output = arrive(input);
          if (delivery === "twice" && late) arrive({ ...late, wants: [] });
          late = input;
          if (delivery === "answer lost") return null;
          isolate.acknowledge(output.applied);
          return output;
        };
        const check = () => {
          for (const state of ledger.usage(EVERYBODY, now))
            expect(state.used + state.reserved).toBeLessThanOrEqual(state.max);
        };

        for (const one of actions) {
          const isolate = isolates[one.isolate];
          if (!isolate) continue;
          const lease = isolate.leases[one.pick % Math.max(1, isolate.leases.length)];
          const need = { requests: 1, tokens: one.tokens, micros: one.micros, slots: 1 };
          if (one.kind === "ask") {
            const combination = COMBINATIONS[one.combination];
            if (!combination) continue;
            const target = combine(need, need, (amount) => amount * one.extra);
            const output = call(isolate, [{ combination, need, target }], one.delivery);
            const grant = output?.grants[0];
            if (grant) isolate.hold(one.combination, need, grant);
          } else if (one.kind === "take" && lease && !lease.closed) {
            // No look at any clock: a lease that is used too late must not hurt either.
            const free = combine(lease.free, need, (left, wanted) => left - wanted);
            if (lease.combination % 3 !== 2 || free.tokens >= 0) {
              if (Object.values(free).every((left) => left >= 0)) {
                lease.free = free;
                lease.running.push(need);
              }
            }
          } else if (one.kind === "settle" && lease) {
            const actual = isolate.settle(lease, one.share);
            const key = `${isolate.id}:${isolate.firstEntry + isolate.entries.length - 1}`;
            if (actual) settled.push({ combination: lease.combination, actual, key });
          } else if (one.kind === "close" && lease) isolate.close(lease);
          else if (one.kind === "sync") call(isolate, [], one.delivery);
          else if (one.kind === "die") isolates[one.isolate] = new Isolate(`isolate-${++born}`);
          else if (one.kind === "clock") {
            now += one.step;
            corrections.push(...ledger.sweep(now).corrections);
          }
          check();
        }

        // Everybody dies; once all deadlines are over, what is used is what the records say, and nothing is set aside.
        now += HOUR;
        corrections.push(...ledger.sweep(now).corrections);
        check();
        for (const { id, unit, window, keyId, endUser } of RULES) {
          if (window === "minute") continue;
          const component = (
            { requests: "requests", tokens: "tokens", usd: "micros", concurrency: "slots" } as const
          )[unit];
          const counts = (user: string | null, key: string | null) =>
            (keyId === null || keyId === key) && (endUser === null || user !== null);
          const records = [
            ...settled
              .filter(({ key }) => delivered.has(key))
              .map(({ combination, actual }) => ({
                ...COMBINATIONS[combination],
                amount: actual[component],
              })),
            ...corrections.map((one) => ({
              ...one.combination,
              amount: component === "slots" ? 0 : one[component],
            })),
          ].filter((record) => counts(record.endUser ?? null, record.keyId ?? null));
          const sum = records.reduce((all, { amount }) => all + amount, 0);
          const states = ledger.usage(EVERYBODY, now).filter(({ ruleId }) => ruleId === id);
          expect(states.reduce((all, { used }) => all + used, 0)).toBe(sum);
          expect(states.reduce((all, { reserved }) => all + reserved, 0)).toBe(0);
        }
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it("takes nothing of any limit where one refuses, and names that one", () => {
    const ledger = makeLedger([
      rule({ id: "lim_wide", max: 100 }),
      rule({ id: "lim_narrow", window: "minute", max: 1 }),
    ]);
    const need = { ...NO_AMOUNTS, requests: 1 };
    const want = { combination: { keyId: null, model: null, endUser: null }, need, target: need };
    const input = { isolateId: "a", firstEntry: 1, entries: [], wants: [want, want] };
    const [first, second] = ledger.sync(input, START).grants;
    expect(first).toMatchObject({ kind: "lease", amounts: { requests: 1 } });
    expect(second).toMatchObject({
      kind: "refused",
      refusal: { state: { ruleId: "lim_narrow", resetsAt: START + 60_000 }, needed: 1 },
      waitMs: 1_000,
    });
    expect(ledger.usage(EVERYBODY, START).map(({ reserved }) => reserved)).toEqual([1, 1]);
  });

  it("leases single requests at the edge, and never beyond the end of a window", () => {
    const ledger = makeLedger([rule({ window: "second", max: 3 })]);
    const need = { ...NO_AMOUNTS, requests: 1 };
    const want = {
      combination: { keyId: null, model: null, endUser: null },
      need,
      target: { ...need, requests: 500 },
    };
    const input = { isolateId: "a", firstEntry: 1, entries: [], wants: [want] };
    expect(ledger.sync(input, START + 900).grants).toMatchObject([
      { kind: "lease", amounts: { requests: 1 }, lifeMs: 100 },
    ]);
  });

  it("leases whole requests only, and nothing ahead of need where not one would fit into its part", () => {
    const ledger = makeLedger([rule({ unit: "usd", max: 1_000 })]);
    const one = { ...NO_AMOUNTS, micros: 100 };
    const combination = { keyId: null, model: null, endUser: null };
    const target = { ...NO_AMOUNTS, micros: 5_000 };
    const ask = (want: object) => {
      const wants = [{ combination, need: NO_AMOUNTS, target, ...want }];
      return ledger.sync({ isolateId: "a", firstEntry: 1, entries: [], wants }, START).grants[0];
    };
    expect(ask({ need: one })).toMatchObject({ amounts: { micros: 300 } }); // a quarter of 900 is 225
    expect(ask({ each: one })).toMatchObject({ amounts: { micros: 100 } }); // a quarter of 700 is 175
    expect(ask({ each: { ...one, micros: 200 } })).toMatchObject({ kind: "refused" });
    expect(ledger.usage(EVERYBODY, START)).toMatchObject([{ used: 0, reserved: 400 }]);
  });

  it("charges in full what a dead isolate held, and takes it back when that one was only late", () => {
    const ledger = makeLedger([rule({ unit: "usd", max: 1_000 })]);
    const need = { ...NO_AMOUNTS, micros: 400 };
    const want = { combination: { keyId: null, model: null, endUser: null }, need, target: need };
    const sync = (firstEntry: number, entries: LeaseEntry[], now: number, wants = [want]) =>
      ledger.sync({ isolateId: "a", firstEntry, entries, wants }, now);
    const [grant] = sync(1, [], START).grants;
    expect(grant).toMatchObject({ kind: "lease" });
    if (grant?.kind !== "lease") return;
    expect(ledger.sweep(START + 30_000).corrections).toMatchObject([{ number: 1, micros: 400 }]);
    expect(ledger.usage(EVERYBODY, START)).toMatchObject([{ used: 400 }]);
    const entries: LeaseEntry[] = [
      { kind: "settle", lease: grant.id, reserved: need, actual: { ...need, micros: 150 } },
      { kind: "close", lease: grant.id, keep: NO_AMOUNTS, running: 0, deadlineMs: 0 },
    ];
    const late = sync(1, entries, START + 40_000, []);
    expect(late.corrections).toMatchObject([{ number: 2, micros: -400 }]);
    expect(sync(1, entries, START + 41_000, []).corrections).toEqual([]); // the second delivery counts for nothing
    expect(ledger.usage(EVERYBODY, START)).toMatchObject([{ used: 150, remaining: 850 }]);
    expect(ledger.nextDue()).toBeNull();
  });
});

describe("a soft limit", () => {
  const soft = rule({ id: "lim_soft", soft: true, window: "minute", max: 10 });
  const want = {
    combination: { keyId: null, model: null, endUser: null },
    need: { ...NO_AMOUNTS, requests: 1 },
    target: { ...NO_AMOUNTS, requests: 1 },
  };
  let isolates = 0;
  /** Lets a number of requests through and settles them. @returns the percents that were warned of */
  function take(ledger: LimitLedger, count: number, now: number) {
    const warned: number[] = [];
    for (let index = 0; index < count; index++) {
      const isolateId = `isolate-${++isolates}`;
      const granted = ledger.sync({ isolateId, firstEntry: 1, entries: [], wants: [want] }, now);
      const [grant] = granted.grants;
      if (grant?.kind !== "lease") throw new Error("A soft limit refused");
      const settled = { kind: "settle", lease: grant.id, reserved: want.need, actual: want.need };
      const closed = {
        kind: "close",
        lease: grant.id,
        keep: NO_AMOUNTS,
        running: 0,
        deadlineMs: 0,
      };
      const entries = [settled, closed] as LeaseEntry[]; // as an isolate would tell it
      const done = ledger.sync({ isolateId, firstEntry: 1, entries, wants: [] }, now);
      warned.push(...[...granted.warnings, ...done.warnings].map(({ percent }) => percent));
    }
    return warned;
  }

  it("refuses nothing, and warns once a window at 80 percent and once at its end", () => {
    const ledger = makeLedger([soft]);
    expect(take(ledger, 7, START)).toEqual([]);
    expect(take(ledger, 1, START)).toEqual([80]);
    expect(take(ledger, 40, START)).toEqual([100]);
    expect(take(ledger, 9, START + 60_000)).toEqual([80]);
    ledger.sweep(START + 120_000);
    expect(take(ledger, 8, START + 61_000)).toEqual([100]); // a clock that stepped back
  });
});

describe("a raise", () => {
  it("holds until its end by the Meter's clock, and no lease outlives it", () => {
    const until = START + 10_400;
    const ledger = makeLedger([rule({ max: 1, raise: { max: 3, until } })]);
    const need = { ...NO_AMOUNTS, requests: 1 };
    const want = { combination: { keyId: null, model: null, endUser: null }, need, target: need };
    const ask = (now: number) =>
      ledger.sync({ isolateId: "a", firstEntry: 1, entries: [], wants: [want] }, now).grants[0];
    expect(ask(START)).toMatchObject({ kind: "lease", lifeMs: 1_000, states: [{ max: 3 }] });
    expect(ask(until - 400)).toMatchObject({ kind: "lease", lifeMs: 400 });
    expect(ledger.usage(EVERYBODY, until - 1)).toMatchObject([
      { max: 3, raise: { max: 3, until } },
    ]);
    expect(ask(until)).toMatchObject({ kind: "refused", refusal: { state: { max: 1, used: 2 } } });
    expect(ledger.usage(EVERYBODY, until)).toMatchObject([{ max: 1, remaining: 0, raise: null }]);
  });
});

describe("what is over", () => {
  it("is forgotten: windows, rules that were deleted, isolates that are gone", () => {
    const sql = openNodeSql();
    let leases = 0;
    const ledger = new LimitLedger(sql, () => `lease_${++leases}`);
    const kept = rule({ id: "lim_kept", max: 5_000 });
    const deleted = rule({ id: "lim_deleted", max: 5_000, endUser: "*", soft: true });
    ledger.setRules([kept, deleted, rule({ id: "lim_minute", window: "minute", max: 5_000 })]);
    const need = { ...NO_AMOUNTS, requests: 1 };
    for (let user = 0; user < 200; user++) {
      const combination = { keyId: null, model: null, endUser: `user-${user}` };
      const wants = [{ combination, need, target: need }];
      ledger.sync({ isolateId: `isolate-${user}`, firstEntry: 1, entries: [], wants }, START);
    }
    ledger.sweep(START + 60_000); // all are charged
    const count = (table: string) =>
      sql.all<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`)[0]?.rows;
    expect([count("buckets"), count("leases")]).toEqual([202, 200]);
    ledger.setRules([kept]);
    ledger.sweep(START + 25 * HOUR);
    expect([count("buckets"), count("leases")]).toEqual([1, 0]);
    expect(ledger.usage(EVERYBODY, START)).toMatchObject([{ ruleId: "lim_kept", used: 200 }]);
  });
});
