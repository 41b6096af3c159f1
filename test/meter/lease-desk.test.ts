import { describe, expect, it } from "vitest";
import type { Admission } from "#core/gateway/admission.ts";
import { LANES_LIMIT } from "#core/meter/team-desk.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import {
  Closed,
  Refused,
  type Running,
  VirtualClock,
  VirtualIsolate,
  VirtualMeter,
} from "./virtual-meter.ts";

/** An isolate's leases, by a clock that only tests move, with the Meter's real ledger. */

function rule(more: Partial<LimitRule> = {}): LimitRule {
  const usual = { keyId: null, prepaid: false, model: null, endUser: null, soft: false };
  const requests = { id: "lim_1", unit: "requests", window: "total", max: 1_000 } as const;
  return { ...requests, onError: "open", raise: null, refill: null, ...usual, ...more };
}

function start(...rules: LimitRule[]) {
  const clock = new VirtualClock();
  const meter = new VirtualMeter(clock, rules);
  return { clock, meter, isolate: new VirtualIsolate(meter) };
}

/** Lets time pass until the request is decided. */
async function decided(clock: VirtualClock, answer: Admission | Promise<Admission>) {
  let outcome: "admitted" | Error | null = null;
  Promise.resolve(answer).then(
    () => (outcome = "admitted"),
    (error: unknown) => (outcome = error instanceof Error ? error : new Error(String(error))),
  );
  const startedAt = clock.now;
  for (let step = 0; outcome === null && step < 20_000; step++) await clock.pass(1);
  return { outcome: outcome as "admitted" | Error | null, waitedMs: clock.now - startedAt }; // assigned in callbacks
}

/** Asks many at the same moment, and waits until all are decided. */
async function askAll(
  clock: VirtualClock,
  count: number,
  isolates: VirtualIsolate[],
  ask: object = {},
) {
  const admitted: { isolate: VirtualIsolate; running: Running }[] = [];
  const refused: unknown[] = [];
  for (let index = 0; index < count; index++) {
    const isolate = isolates[index % isolates.length];
    if (!isolate) continue;
    const { running, answer } = isolate.admit(ask);
    Promise.resolve(answer).then(
      () => admitted.push({ isolate, running }),
      (error: unknown) => refused.push(error),
    );
  }
  for (let step = 0; admitted.length + refused.length < count && step < 1_000; step++)
    await clock.pass(20);
  return { admitted, refused };
}

describe("a request for which nothing is limited", () => {
  it("is let through without a call, and leaves nothing behind", () => {
    const { meter, isolate } = start(rule({ model: "other" }));
    const { answer } = isolate.admit({ model: "m" });
    expect(answer).not.toBeInstanceOf(Promise);
    expect([meter.calls, isolate.desk.size]).toEqual([0, 0]);
  });
});

describe("an isolate under steady load", () => {
  it("makes only the first request wait, and calls the Meter a few times a second", async () => {
    const { clock, meter, isolate } = start(
      rule({ window: "hour", max: 1_000_000 }),
      rule({ id: "lim_2", unit: "tokens", max: 1_000_000_000 }),
    );
    const first = isolate.admit();
    expect((await decided(clock, first.answer)).waitedMs).toBeLessThan(20);
    isolate.settle(first.running, { tokens: 50, micros: 500 });
    let waited = 0;
    for (let index = 0; index < 1_000; index++) {
      const { running, answer } = isolate.admit();
      if (answer instanceof Promise) {
        waited++;
        await decided(clock, answer);
      }
      await clock.pass(10);
      isolate.settle(running, { tokens: 50, micros: 500 });
    }
    // While the rate is not known yet, leases are small.
    expect(waited).toBeLessThan(10);
    expect(meter.calls).toBeLessThan(10 * 6 + 10);
    await clock.pass(30_000);
    expect(meter.usage()).toMatchObject([
      { used: 1_001, reserved: 0 },
      { used: 1_001 * 50, reserved: 0 },
    ]);
  });

  it("forgets everything once it is idle", async () => {
    const { clock, meter, isolate } = start(rule());
    const { running, answer } = isolate.admit();
    await decided(clock, answer);
    isolate.settle(running, { tokens: 0, micros: 0 });
    await clock.pass(60_000);
    const next = isolate.admit(); // whose log looks at the old lane
    await decided(clock, next.answer);
    isolate.settle(next.running, { tokens: 0, micros: 0 });
    await clock.pass(5_000);
    expect(isolate.desk.owesWord("team")).toBe(false);
    isolate.desk.log("team", clock.now + 60_000);
    expect(isolate.desk.size).toBe(0);
    expect(meter.usage()).toMatchObject([{ used: 2, reserved: 0 }]);
  });
});

describe("requests that only some limits tell apart", () => {
  it("share a lease as far as no limit tells them apart", async () => {
    const { clock, meter, isolate } = start(rule(), rule({ id: "lim_2", keyId: "key_a" }));
    await askAll(clock, 8, [isolate], { keyId: "key_b" });
    await askAll(clock, 1, [isolate], { keyId: "key_b" });
    const before = meter.calls;
    expect(isolate.admit({ keyId: "key_c", model: "x", endUser: "ann" }).answer).not.toBeInstanceOf(
      Promise,
    );
    expect(isolate.admit({ keyId: "key_a" }).answer).toBeInstanceOf(Promise);
    await clock.pass(50);
    expect(meter.calls).toBeGreaterThan(before);
    expect(meter.usage()).toMatchObject([{}, { ruleId: "lim_2", reserved: 2 }]);
  });
});

describe("five hundred requests at the same moment", () => {
  it("share a few calls, and get all that the limit has and no more", async () => {
    const { clock, meter, isolate } = start(rule({ unit: "usd", max: 100_000, onError: "closed" }));
    const other = new VirtualIsolate(meter, "other");
    const { admitted, refused } = await askAll(clock, 500, [isolate, other]);
    expect(admitted).toHaveLength(100);
    expect(refused).toHaveLength(400);
    for (const error of refused) expect(error).toBeInstanceOf(Refused);
    expect(meter.calls).toBeLessThan(40);
    expect(meter.usage()).toMatchObject([{ used: 0, reserved: 100_000, remaining: 0 }]);
    for (const { isolate: own, running } of admitted)
      own.settle(running, { tokens: 0, micros: 123 });
    await clock.pass(5_000);
    expect(meter.usage()).toMatchObject([{ used: 12_300, reserved: 0 }]);
    expect(meter.corrections.micros).toBe(0);
  });

  it("are let through as soon as what others did not use has come back", async () => {
    const { clock, meter, isolate } = start(rule({ unit: "usd", max: 10_000 }));
    const first = await askAll(clock, 10, [isolate]);
    expect(first.admitted).toHaveLength(10);
    for (const { running } of first.admitted) isolate.settle(running, { tokens: 0, micros: 100 });
    const second = await askAll(clock, 5, [new VirtualIsolate(meter, "other")]);
    expect(second.admitted.length).toBe(5);
  });
});

describe("at the edge of a limit", () => {
  it("an isolate under steady load spends it to the last request, and makes no call for each", async () => {
    const { clock, meter, isolate } = start(rule({ unit: "usd", max: 100_000 }));
    let admitted = 0;
    for (let index = 0; index < 200; index++) {
      const { running, answer } = isolate.admit();
      const { outcome } = await decided(clock, answer);
      if (outcome === "admitted") {
        admitted++;
        isolate.settle(running, { tokens: 0, micros: 1_000 });
      }
      await clock.pass(20);
    }
    expect(admitted).toBe(100);
    expect(meter.calls).toBeLessThan(100);
    await clock.pass(3_000);
    expect(meter.usage()).toMatchObject([{ used: 100_000, reserved: 0 }]);
  });

  it("a request waits for at most one lease, and is refused then", async () => {
    const { clock, meter, isolate } = start(rule({ max: 8 }));
    const other = new VirtualIsolate(meter, "other");
    await askAll(clock, 4, [other]);
    await askAll(clock, 2, [other]); // more than it needs, as its rate is known now
    const { admitted, refused } = await askAll(clock, 10, [isolate]);
    const late = isolate.admit();
    const { outcome, waitedMs } = await decided(clock, late.answer);
    expect(outcome).toBeInstanceOf(Refused);
    expect(waitedMs).toBeLessThan(1_100);
    expect(admitted.length + refused.length).toBe(10);
    expect(admitted).toHaveLength(2);
  });

  it("a flood of refused requests costs the Meter a few calls a second", async () => {
    const { clock, meter, isolate } = start(rule({ max: 0 }));
    for (let index = 0; index < 1_000; index++) {
      Promise.resolve(isolate.admit().answer).catch(() => undefined); // refused, as all of them
      await clock.pass(1);
    }
    expect(meter.calls).toBeLessThan(12);
  });

  it("a refusal says what would have fitted", async () => {
    const { clock, isolate } = start(rule({ unit: "tokens", max: 500 }));
    const fitting = (unit: string, room: number) => (unit === "tokens" ? room - 11 : null);
    await decided(clock, isolate.admit({ tokens: 300, fitting }).answer);
    const now = await decided(clock, isolate.admit({ tokens: 300, fitting }).answer);
    expect(now.outcome).toMatchObject({ refusal: { needed: 300, fittingMaxTokens: 189 } });
    const never = await decided(clock, isolate.admit({ tokens: 900, fitting }).answer);
    expect(never.outcome).toMatchObject({
      refusal: { needed: 900, fittingMaxTokens: 489, retryAfterMs: null },
    });
  });
});

describe("while the Meter is out of reach", () => {
  it("limits that say open let requests through, and what they took is counted later", async () => {
    const { clock, meter, isolate } = start(rule({ onError: "open", max: 2 }));
    meter.reachable = false;
    const { admitted, refused } = await askAll(clock, 5, [isolate]);
    expect([admitted.length, refused.length]).toEqual([5, 0]);
    meter.reachable = true;
    for (const { running } of admitted) isolate.settle(running, { tokens: 7, micros: 7 });
    await clock.pass(5_000);
    expect(meter.usage()).toMatchObject([{ used: 5, remaining: 0 }]);
    expect((await decided(clock, isolate.admit().answer)).outcome).toBeInstanceOf(Refused);
  });

  it("limits that say closed refuse at once, but for what an isolate already holds", async () => {
    const { clock, meter, isolate } = start(rule({ unit: "usd", onError: "closed", max: 1e9 }));
    await askAll(clock, 4, [isolate]);
    await askAll(clock, 2, [isolate]);
    meter.reachable = false;
    expect(isolate.admit().answer).not.toBeInstanceOf(Promise);
    await clock.pass(1_500);
    const first = await decided(clock, isolate.admit().answer);
    expect(first.outcome).toBeInstanceOf(Closed);
    const next = await decided(clock, isolate.admit().answer);
    expect(next.outcome).toBeInstanceOf(Closed);
    expect(next.waitedMs).toBeLessThan(2); // nobody asks again so soon
    meter.reachable = true;
    await clock.pass(1_100);
    expect((await decided(clock, isolate.admit().answer)).outcome).toBe("admitted");
  });

  it("a soft limit closes nothing", async () => {
    const { clock, meter, isolate } = start(rule({ unit: "usd", onError: "closed", soft: true }));
    meter.reachable = false;
    expect((await decided(clock, isolate.admit().answer)).outcome).toBe("admitted");
  });
});

describe("a lease", () => {
  it("lapses when it ends, and what runs on it keeps its own until it settles or its deadline is over", async () => {
    const { clock, meter, isolate } = start(rule({ unit: "usd", max: 1e9 }));
    const { admitted } = await askAll(clock, 20, [isolate], { deadlineAt: clock.now + 30_000 });
    await clock.pass(3_000);
    expect(meter.usage()).toMatchObject([{ used: 0, reserved: 20_000 }]);
    for (const { running } of admitted.slice(0, 19))
      isolate.settle(running, { tokens: 0, micros: 10 });
    await clock.pass(3_000);
    expect(meter.usage()).toMatchObject([{ used: 190, reserved: 1_000 }]);
    await clock.pass(60_000);
    meter.sweep();
    expect(meter.usage()).toMatchObject([{ used: 1_190, reserved: 0 }]);
    expect(meter.corrections.micros).toBe(1_000);
  });

  it("of an isolate that has died is charged, and taken back when it was only away", async () => {
    const { clock, meter, isolate } = start(rule({ unit: "usd", max: 1e9 }));
    const { admitted } = await askAll(clock, 3, [isolate]);
    meter.reachable = false;
    for (const { running } of admitted) isolate.settle(running, { tokens: 0, micros: 10 });
    await clock.pass(15_000);
    meter.sweep();
    expect(meter.usage()).toMatchObject([{ reserved: 0 }]);
    expect(meter.usage()[0]?.used).toBeGreaterThanOrEqual(3_000);
    meter.reachable = true;
    await clock.pass(5_000);
    expect(meter.usage()).toMatchObject([{ used: 30, reserved: 0 }]);
    expect(meter.corrections.micros).toBe(0);
  });

  it.each([3_600_000, -3_600_000, 700, -700])(
    "is no wider for an isolate whose clock is off by %i ms",
    async (off) => {
      const { clock, meter, isolate } = start(rule({ window: "minute", max: 40 }));
      const other = new VirtualIsolate(meter, "other");
      isolate.clockOffMs = off;
      let admitted = 0;
      for (let round = 0; round < 25; round++) {
        const done = await askAll(clock, 4, [isolate, other]);
        admitted += done.admitted.length;
        for (const { isolate: own, running } of done.admitted)
          own.settle(running, { tokens: 0, micros: 0 });
        await clock.pass(200);
      }
      expect(clock.now).toBeLessThan(START_OF_NEXT_MINUTE);
      expect(admitted).toBeGreaterThan(30);
      expect(admitted).toBeLessThanOrEqual(40);
    },
  );

  it("of an isolate whose clock steps back is closed with its next word", async () => {
    const { clock, meter, isolate } = start(rule({ max: 100 }));
    const { admitted } = await askAll(clock, 4, [isolate]);
    isolate.clockOffMs = -3_600_000;
    for (const { running } of admitted) isolate.settle(running, { tokens: 0, micros: 0 });
    await clock.pass(3_000);
    expect(meter.usage()).toMatchObject([{ used: 4, reserved: 0 }]);
  });
});

const START_OF_NEXT_MINUTE = Date.UTC(2026, 10, 21, 12, 1);

describe("a limit for each of very many end users", () => {
  it("takes bounded memory, and every lease is closed all the same", async () => {
    const { clock, meter, isolate } = start(rule({ endUser: "*", window: "day", max: 5 }));
    const users = LANES_LIMIT + 2_000;
    for (let user = 0; user < users; user += 500) {
      const batch = Array.from({ length: 500 }, (_, index) => `user-${user + index}`);
      const asked = batch.map((endUser) => isolate.admit({ endUser }));
      await clock.pass(100);
      for (const { running } of asked) isolate.settle(running, { tokens: 0, micros: 0 });
      expect(isolate.desk.size).toBeLessThan(LANES_LIMIT + 20_000);
    }
    await clock.pass(5_000);
    expect(isolate.desk.size).toBeLessThanOrEqual(LANES_LIMIT);
    meter.sweep();
    expect(meter.corrections.requests).toBe(0);
    for (const user of ["user-0", `user-${users - 1}`])
      expect(meter.ledger.usage({ keyId: null, endUser: user }, clock.now)).toMatchObject([
        { used: 1, reserved: 0 },
      ]);
  });
});
