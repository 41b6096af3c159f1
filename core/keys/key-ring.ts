import { BoundedMap } from "../kernel/bounded-map.ts";
import { AppError } from "../kernel/errors.ts";
import type { KeyRecord } from "./key-record.ts";

/** Where key records and epochs come from when the isolate does not have them. */
export interface KeySources {
  /** The shared cache; null where it has nothing. */
  readCache(hash: string): Promise<CachedKey | null>;
  writeCache(hash: string, cached: CachedKey): Promise<void>;
  /** Postgres. */
  load(hash: string): Promise<KeyRecord | null>;
  /** The team's Meter. */
  epoch(teamId: string): Promise<number>;
  /** Lets work go on after the answer. */
  background(work: Promise<unknown>): void;
  now(): number;
}

/** A key record, or the knowledge that there is none. */
export type CachedKey = { record: KeyRecord } | { record: null };

/** A record is used without a second look for this long, then renewed in the background. */
const FRESH_MS = 10_000;
/** And is not used at all after this. */
const STALE_MS = 600_000;
/** How long an unknown key stays unknown. */
const UNKNOWN_MS = 60_000;
/** An epoch is asked for in the background from this age on … */
const EPOCH_RENEW_MS = 500;
/** … and before the request goes on, from this. So a revocation holds within a second. */
const EPOCH_FRESH_MS = 1_000;
/** With the Meter out of reach, a known key goes on under its last epoch for this long. */
const EPOCH_GRACE_MS = 60_000;

interface HeldKey {
  cached: CachedKey;
  loadedAt: number;
  renewing: boolean;
}

interface HeldEpoch {
  value: number;
  checkedAt: number;
  renewingSince: number;
}

/**
 * An isolate's memory of keys: isolate map → shared cache → Postgres, all under the team's epoch. It holds plain
 * values only, so it may be shared by all requests of an isolate; what reaches out comes with each call.
 */
export class KeyRing {
  private readonly keys: BoundedMap<string, HeldKey>;
  private readonly epochs: BoundedMap<string, HeldEpoch>;

  constructor(limit = 20_000) {
    this.keys = new BoundedMap(limit);
    this.epochs = new BoundedMap(limit);
  }

  /**
   * The record of the key with this hash, no more than a second out of date, or null where there is no such key.
   * @throws AppError `unavailable` when neither the Meter nor a recent enough epoch can be had
   */
  async find(hash: string, sources: KeySources): Promise<KeyRecord | null> {
    const held = this.keys.get(hash);
    const age = held ? sources.now() - held.loadedAt : Infinity;
    if (held?.cached.record === null && age < UNKNOWN_MS) return null;
    if (held?.cached.record && age < STALE_MS) {
      const { record } = held.cached;
      const epoch = await this.epochOf(record.teamId, sources);
      if (record.epoch >= epoch) {
        if (age > FRESH_MS && !held.renewing) this.renew(hash, held, sources);
        return record;
      }
      return this.fetch(hash, sources, epoch);
    }
    return this.fetch(hash, sources, null);
  }

  /** Forgets a key, such as one that this isolate has just changed. */
  forget(hash: string): void {
    this.keys.delete(hash);
  }

  private async fetch(
    hash: string,
    sources: KeySources,
    knownEpoch: number | null,
  ): Promise<KeyRecord | null> {
    const cached = await sources.readCache(hash);
    if (cached?.record === null) return this.hold(hash, cached, sources);
    if (cached) {
      const epoch = knownEpoch ?? (await this.epochOf(cached.record.teamId, sources));
      if (cached.record.epoch >= epoch) return this.hold(hash, cached, sources);
    }
    return this.load(hash, sources);
  }

  private async load(hash: string, sources: KeySources): Promise<KeyRecord | null> {
    const asked = sources.now(); // what comes back is as old as the question
    const record = await sources.load(hash);
    const cached: CachedKey = { record };
    sources.background(sources.writeCache(hash, cached));
    if (record) {
      // Postgres is the truth: an epoch read with the record is never behind what the record says.
      const known = this.epochs.get(record.teamId);
      if (!known || known.value < record.epoch) {
        this.epochs.set(record.teamId, {
          value: record.epoch,
          checkedAt: asked,
          renewingSince: 0,
        });
      }
    }
    return this.hold(hash, cached, sources);
  }

  private hold(hash: string, cached: CachedKey, sources: KeySources): KeyRecord | null {
    this.keys.set(hash, { cached, loadedAt: sources.now(), renewing: false });
    return cached.record;
  }

  private renew(hash: string, held: HeldKey, sources: KeySources): void {
    held.renewing = true;
    const work = this.load(hash, sources).catch(() => {
      held.renewing = false; // it stays usable until it is stale; the next request tries again
    });
    sources.background(work);
  }

  private async epochOf(teamId: string, sources: KeySources): Promise<number> {
    const held = this.epochs.get(teamId);
    const now = sources.now();
    const age = held ? now - held.checkedAt : Infinity;
    if (held && age < EPOCH_FRESH_MS) {
      if (age > EPOCH_RENEW_MS && now - held.renewingSince > EPOCH_FRESH_MS) {
        held.renewingSince = now;
        sources.background(this.askEpoch(teamId, sources).catch(() => undefined));
      }
      return held.value;
    }
    try {
      return await this.askEpoch(teamId, sources);
    } catch (error) {
      if (held && age < EPOCH_GRACE_MS) return held.value;
      throw new AppError("unavailable", {
        message: "The key cannot be checked right now. Try again in a moment.",
        retryAfterSeconds: 1,
        cause: error,
      });
    }
  }

  private async askEpoch(teamId: string, sources: KeySources): Promise<number> {
    const asked = sources.now(); // the answer is as old as the question
    const value = await sources.epoch(teamId);
    const held = this.epochs.get(teamId);
    if (held && held.value > value) return held.value;
    this.epochs.set(teamId, { value, checkedAt: asked, renewingSince: 0 });
    return value;
  }
}
