import type { Admission } from "#core/gateway/admission.ts";
import type { Asking, LeaseSource } from "#core/meter/asking.ts";
import { LeaseDesk } from "#core/meter/lease-desk.ts";
import type { Amounts } from "#core/meter/lease.ts";
import { LimitLedger } from "#core/meter/limit-ledger.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import type { LimitRefusal, LimitUsage } from "#core/meter/limit-state.ts";
import type { UsageRecord } from "#core/usage/usage-record.ts";
import { openNodeSql } from "#test/telegram/node-sql.ts";

export const START = Date.UTC(2026, 10, 21, 12);

/** A clock that moves only when it is told to, and wakes who waits for it, in order. */
export class VirtualClock {
  now = START;
  private readonly sleepers: { at: number; wake: () => void }[] = [];

  wait(ms: number): Promise<void> {
    return new Promise((wake) => this.sleepers.push({ at: this.now + ms, wake }));
  }

  /** Lets so much time pass, and everything happen that happens meanwhile. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve)); // all that needs no time is done first
      this.sleepers.sort((a, b) => a.at - b.at);
      const next = this.sleepers[0];
      if (!next || next.at > end) break;
      this.sleepers.shift();
      this.now = Math.max(this.now, next.at);
      next.wake();
    }
    this.now = end;
  }
}

/** A refusal as the isolate tells it; what the api Worker makes an HTTP error of. */
export class Refused extends Error {
  readonly refusal: LimitRefusal;

  constructor(refusal: LimitRefusal) {
    super(`Refused by ${refusal.state.ruleId}`);
    this.refusal = refusal;
  }
}

export class Closed extends Error {}

/** The Meter of one team, with its real ledger, some milliseconds away. */
export class VirtualMeter {
  readonly clock: VirtualClock;
  readonly ledger: LimitLedger;
  readonly rules: LimitRule[];
  /** Of charges for requests that nobody reported. */
  corrections = { requests: 0, tokens: 0, micros: 0 };
  calls = 0;
  latencyMs = 5;
  reachable = true;

  constructor(clock: VirtualClock, rules: LimitRule[]) {
    let leases = 0;
    this.clock = clock;
    this.rules = rules;
    this.ledger = new LimitLedger(openNodeSql(), () => `lease_${++leases}`);
    this.ledger.setRules(rules);
  }

  /** What a call to the object is: a way there, its work at once, and a way back. */
  async call(input: Parameters<LimitLedger["sync"]>[0]) {
    this.calls++;
    await this.clock.wait(this.latencyMs);
    if (!this.reachable) throw new Error("out of reach");
    const output = this.ledger.sync(input, this.clock.now);
    this.count(output.corrections);
    await this.clock.wait(this.latencyMs);
    if (!this.reachable) throw new Error("out of reach");
    return output;
  }

  sweep(): void {
    this.count(this.ledger.sweep(this.clock.now).corrections);
  }

  usage(): LimitUsage[] {
    return this.ledger.usage({ keyId: "*", endUser: "*" }, this.clock.now);
  }

  private count(corrections: ReturnType<LimitLedger["sweep"]>["corrections"]): void {
    for (const { requests, tokens, micros } of corrections) {
      this.corrections.requests += requests;
      this.corrections.tokens += tokens;
      this.corrections.micros += micros;
    }
  }
}

/** A request that was let through, and runs. */
export interface Running {
  id: string;
  need: Amounts;
}

/** An isolate: a desk, and the loop that tells the Meter about its leases, as the usage reporter does. */
export class VirtualIsolate {
  readonly desk = new LeaseDesk();
  /** How far its clock is off, in milliseconds. */
  clockOffMs = 0;
  alive = true;
  private readonly meter: VirtualMeter;
  private readonly name: string;
  private telling = false;
  private requests = 0;

  constructor(meter: VirtualMeter, name = "isolate") {
    this.meter = meter;
    this.name = name;
  }

  /** Asks as the gateway does. @returns a promise only where the request had to wait */
  admit(ask: Partial<Asking> & { tokens?: number; micros?: number } = {}): {
    running: Running;
    answer: Admission | Promise<Admission>;
  } {
    const { tokens = 100, micros = 1_000, ...more } = ask;
    const id = `${this.name}-${++this.requests}`;
    const answer = this.desk.admit(
      {
        teamId: "team",
        requestId: id,
        rules: this.meter.rules,
        keyId: null,
        model: "m",
        endUser: null,
        worst: () => ({ tokens, micros, outputCap: 10 }),
        deadlineAt: this.now() + 60_000,
        ...more,
      },
      this.source,
    );
    return { running: { id, need: { requests: 1, tokens, micros, slots: 1 } }, answer };
  }

  settle({ id }: Running, used: { tokens: number; micros: number }): void {
    const record = { id, inputTokens: 0, outputTokens: used.tokens, costMicros: used.micros };
    this.desk.settle("team", record as UsageRecord); // the desk reads no more of it
    void this.tell();
  }

  now(): number {
    return this.meter.clock.now + this.clockOffMs;
  }

  private get source(): LeaseSource {
    return {
      lease: async (wants) =>
        (await this.meter.call({ isolateId: "", firstEntry: 1, entries: [], wants })).grants,
      granted: () => void this.tell(),
      background: (work) => void work.catch(() => undefined),
      wait: (ms) => this.meter.clock.wait(ms),
      refuse: (refusal) => new Refused(refusal),
      unreachable: () => new Closed("out of reach"),
      now: () => this.now(),
    };
  }

  private async tell(): Promise<void> {
    if (this.telling) return;
    this.telling = true;
    do {
      await this.meter.clock.wait(1_000);
      const log = this.alive ? this.desk.log("team", this.now()) : null;
      if (log === null) continue;
      const output = await this.meter.call({ ...log, wants: [] }).catch(() => null);
      if (output && this.alive) this.desk.acknowledged("team", log, output.applied);
    } while (this.alive && this.desk.owesWord("team"));
    this.telling = false;
  }
}
