import { AppError } from "../kernel/errors.ts";
import { within } from "../kernel/within.ts";
import type { Signal } from "./signal.ts";

/** Where the signal comes from when the isolate's copy is old. */
export interface SignalSources {
  /** The shared cache; null where it has nothing or does not answer. */
  readCache(): Promise<Signal | null>;
  writeCache(signal: Signal): Promise<void>;
  /** Postgres. */
  load(): Promise<Signal>;
  background(work: Promise<unknown>): void;
  now(): number;
}

/** From this age on a copy is renewed in the background, each isolate at an age of its own in this range … */
const RENEW_MS = 750;
const RENEW_SPREAD_MS = 150;
/** … and from this age on requests wait for the renewal. Ages count from when Postgres was asked, whoever did. */
const FRESH_MS = 1_000;
/** Another isolate's copy is taken instead of asking Postgres, where it is not older. */
const SHARED_MS = 400;
/** The longest that a renewal waits for the cache, and a request for a renewal. */
const CACHE_WAIT_MS = 100;
const WAIT_MS = 500;
/** A cold isolate has nothing to go on with, and a database that sleeps takes a moment to wake. */
const COLD_WAIT_MS = 5_000;
/** A cache that did not answer is left alone, and a Postgres that did not answer is not waited for. */
const CACHE_REST_MS = 5_000;
const FAILURE_REST_MS = 1_000;
/** Requests that find a renewal under way look this often whether it has ended. */
const POLL_MS = 5;

/**
 * An isolate's copy of the signal, at most a second old while Postgres answers, whether the cache does or not. With
 * Postgres out of reach the last known state goes on: nobody can throw a switch then either. An isolate asks Postgres
 * about once a second at most, and only while it serves requests. Plain values only.
 */
export class SignalBoard {
  private held: Signal | null = null;
  /** Before this time the copy is used without a thought. */
  private renewAt = 0;
  private renewingSince = 0;
  private failedAt = 0;
  private cacheRestsUntil = 0;

  /** The copy, where nothing is to be done: the whole cost of a warm request. Else null; then ask `current`. */
  at(now: number): Signal | null {
    return now < this.renewAt ? this.held : null;
  }

  /**
   * The state that this moment's decisions are to be made by.
   * @throws AppError `unavailable` when nothing was ever heard and neither cache nor Postgres answers
   */
  async current(sources: SignalSources): Promise<Signal> {
    const now = sources.now();
    const { held } = this;
    if (held && now - held.at < FRESH_MS) {
      const failed = now - this.failedAt < FAILURE_REST_MS;
      if (now >= this.renewAt && !failed && !this.isRenewing(now))
        sources.background(this.renew(sources).catch(() => undefined));
      return held;
    }
    if (held && now - this.failedAt < FAILURE_REST_MS) return held;
    await this.waitForRenewal(sources);
    if (this.held) return this.held;
    throw new AppError("unavailable", {
      message: "The service cannot be checked right now. Try again in a moment.",
      retryAfterSeconds: 1,
    });
  }

  /** Takes what this isolate has just written or been told. An earlier state never takes a later one's place. */
  take(signal: Signal): void {
    const { held } = this;
    if (held && (signal.version < held.version || signal.at < held.at)) {
      // A database that was restored begins anew; it is believed once the later state is long gone.
      if (signal.at - held.at < FAILURE_REST_MS * 10) return;
    }
    this.held = signal;
    this.renewAt = signal.at + RENEW_MS + Math.random() * RENEW_SPREAD_MS;
  }

  private isRenewing(now: number): boolean {
    return now - this.renewingSince < this.waitMs;
  }

  private get waitMs(): number {
    return this.held ? WAIT_MS : COLD_WAIT_MS;
  }

  private async waitForRenewal(sources: SignalSources): Promise<void> {
    const began = sources.now();
    // A promise of another request dies with it, so its outcome is looked for.
    while (this.isRenewing(sources.now())) {
      await pause(POLL_MS);
      if (this.held && this.held.at > began - FRESH_MS) return;
    }
    if (this.failedAt >= began) return;
    await within(this.waitMs, this.renew(sources)).catch(() => {
      this.failedAt = sources.now();
    });
  }

  private async renew(sources: SignalSources): Promise<void> {
    this.renewingSince = sources.now();
    try {
      const cached = await this.readCache(sources);
      if (cached && sources.now() - cached.at < SHARED_MS) return this.take(cached);
      try {
        const loaded = await sources.load();
        this.take(loaded);
        sources.background(sources.writeCache(loaded));
      } catch (error) {
        if (!this.held && cached) return this.take(cached); // old, and all there is
        throw error;
      }
    } catch (error) {
      this.failedAt = sources.now();
      throw error;
    } finally {
      this.renewingSince = 0;
    }
  }

  private async readCache(sources: SignalSources): Promise<Signal | null> {
    if (sources.now() < this.cacheRestsUntil) return null;
    return within(CACHE_WAIT_MS, sources.readCache()).catch(() => {
      this.cacheRestsUntil = sources.now() + CACHE_REST_MS;
      return null;
    });
  }
}

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
