import type { CircuitPolicy } from "#schema";
import type { ErrorCode } from "../../kernel/errors.ts";
import { SlidingWindow } from "./sliding-window.ts";

export type CircuitState = "closed" | "open" | "half_open";

/** How a request goes through: as any other, as one that tries whether the target is well again, or against advice. */
export type Pass = "closed" | "probe" | "refused";

/** What became of an attempt. */
export interface AttemptOutcome {
  /** Null for a good answer; `client_closed` says nothing about the target. */
  error: ErrorCode | null;
  /** Milliseconds to the first token of a stream or the whole answer; null where there was none. */
  latencyMs: number | null;
  /** For how long the provider wants to be left alone, in milliseconds; 0 where it did not say. */
  retryAfterMs: number;
}

/** What an open circuit tells other isolates. Times are milliseconds since 1970. */
export interface SharedCircuit {
  until: number;
  since: number;
  error: ErrorCode | null;
}

/** So many probes in a row must be good before the circuit closes; a target that flaps does not manage. */
const GOOD_PROBES = 3;
/** A probe that has not come back by then died with its request, in milliseconds. */
const PROBE_LOST_MS = 120_000;
/** Each probe that fails doubles the time that a circuit stays open, up to this, in milliseconds. */
const LONGEST_OPEN_MS = 300_000;
/** The longest rest that a provider's `Retry-After` gives it, in milliseconds. */
const LONGEST_REST_MS = 60_000;
/** A new latency counts that much in the moving estimate … */
const LATENCY_SHARE = 0.2;
/** … and without new ones it halves in this time, so that a slow target is tried again; in milliseconds. */
const LATENCY_HALF_LIFE_MS = 30_000;
/** How many latencies percentiles are made of. */
const SAMPLES = 128;

/** The circuit breaker of one target, as one isolate sees it. */
export class Circuit {
  private current: CircuitState = "closed";
  private changedAt: number;
  private until = 0;
  private opens = 0;
  private goodProbes = 0;
  private probeSince: number | null = null;
  private restUntil = 0;
  private error: ErrorCode | null = null;
  private estimate: number | null = null;
  private estimatedAt = 0;
  private readonly samples: number[] = [];
  private nextSample = 0;
  private seenShared = false;
  private readonly window: SlidingWindow;
  private readonly policy: CircuitPolicy;

  constructor(policy: CircuitPolicy, now: number) {
    this.policy = policy;
    this.window = new SlidingWindow(policy.windowMs);
    this.changedAt = now;
  }

  /** Whether a request that has another choice should take that. Changes nothing. */
  avoided(now: number): boolean {
    if (now < this.restUntil) return true;
    if (this.current === "closed") return false;
    return now < this.until || this.probing(now);
  }

  /** Lets a request in. What it gets must be given back with `leave`. */
  enter(now: number): Pass {
    if (this.current === "closed") return "closed";
    if (now < this.until || this.probing(now)) return "refused";
    this.current = "half_open";
    this.probeSince = now;
    return "probe";
  }

  /** @returns what other isolates should know: the circuit opened, or closed (null); undefined where nothing changed */
  leave(pass: Pass, outcome: AttemptOutcome, now: number): SharedCircuit | null | undefined {
    if (pass === "probe") this.probeSince = null;
    if (outcome.error === "client_closed") return undefined;
    if (outcome.latencyMs !== null) this.measure(outcome.latencyMs, now);
    const failed = outcome.error !== null;
    const { slowMs } = this.policy;
    const slow = !failed && slowMs !== null && (outcome.latencyMs ?? 0) >= slowMs;
    if (failed) {
      this.error = outcome.error;
      this.restUntil = now + Math.min(LONGEST_REST_MS, outcome.retryAfterMs);
    }
    this.window.add(now, failed, slow);
    if (pass === "closed")
      return this.current === "closed" ? this.judge(failed || slow, now) : undefined;
    if (this.current === "closed") return undefined;
    if (failed || slow) return pass === "probe" ? this.open(now) : undefined;
    this.until = now; // an answer against all advice is as good as a probe
    this.goodProbes++;
    return this.goodProbes < GOOD_PROBES ? undefined : this.close(now);
  }

  /** Takes over what another isolate found out; undefined: nobody says that it is open. */
  adopt(shared: SharedCircuit | undefined, now: number): void {
    if (!shared) {
      if (this.seenShared && this.current !== "closed") this.close(now);
      this.seenShared = false;
      return;
    }
    this.seenShared = true;
    if (shared.until <= this.until || shared.until <= now) return;
    this.until = Math.min(shared.until, now + LONGEST_OPEN_MS);
    this.goodProbes = 0;
    this.error = shared.error;
    if (this.current === "closed") this.changedAt = shared.since;
    this.current = "open";
  }

  /** The moving estimate, in milliseconds; null where there was no answer yet. */
  latency(now: number): number | null {
    if (this.estimate === null) return null;
    return this.estimate * 0.5 ** (Math.max(0, now - this.estimatedAt) / LATENCY_HALF_LIFE_MS);
  }

  state(now: number): CircuitState {
    return this.current === "open" && now >= this.until ? "half_open" : this.current;
  }

  report(now: number) {
    const { requests, failed } = this.window.sums(now);
    return {
      state: this.state(now),
      since: this.changedAt,
      requests,
      errorRate: requests === 0 ? null : failed / requests,
      p50Ms: this.percentile(0.5),
      p95Ms: this.percentile(0.95),
      lastError: this.error,
    };
  }

  private probing(now: number): boolean {
    return this.probeSince !== null && now - this.probeSince < PROBE_LOST_MS;
  }

  private judge(bad: boolean, now: number): SharedCircuit | undefined {
    if (!bad) return undefined;
    const { requests, failed, slow } = this.window.sums(now);
    const { minimumRequests, errorRate, slowRate } = this.policy;
    if (requests < minimumRequests) return undefined;
    if (failed / requests < errorRate && slow / requests < slowRate) return undefined;
    return this.open(now);
  }

  private open(now: number): SharedCircuit {
    const openMs = Math.min(LONGEST_OPEN_MS, this.policy.openMs * 2 ** this.opens);
    if (this.current === "closed") this.changedAt = now;
    this.current = "open";
    this.until = now + openMs;
    this.opens++;
    this.goodProbes = 0;
    this.seenShared = false;
    return { until: this.until, since: this.changedAt, error: this.error };
  }

  private close(now: number): null {
    this.current = "closed";
    this.changedAt = now;
    this.until = this.opens = this.goodProbes = 0;
    this.probeSince = null;
    this.window.clear();
    return null;
  }

  private measure(latencyMs: number, now: number): void {
    const before = this.estimate;
    this.estimate = before === null ? latencyMs : before + LATENCY_SHARE * (latencyMs - before);
    this.estimatedAt = now;
    this.samples[this.nextSample] = latencyMs;
    this.nextSample = (this.nextSample + 1) % SAMPLES;
  }

  private percentile(share: number): number | null {
    const sorted = [...this.samples].sort((a, b) => a - b);
    return sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  }
}
