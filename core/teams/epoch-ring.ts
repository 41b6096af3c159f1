import { BoundedMap } from "../kernel/bounded-map.ts";
import { AppError } from "../kernel/errors.ts";

/** What is true of something of a team under one of its epochs. Records are cached: plain values, and no secrets. */
export interface EpochRecord {
  teamId: string;
  /** The team's epoch when this was read: under a later epoch it has to be read again. */
  epoch: number;
}

/** Where records and epochs come from when the isolate does not have them. */
export interface RecordSources<R extends EpochRecord> {
  /** The shared cache; null where it has nothing. */
  readCache(name: string): Promise<CachedRecord<R> | null>;
  writeCache(name: string, cached: CachedRecord<R>): Promise<void>;
  /** Postgres. */
  load(name: string): Promise<R | null>;
  /** The team's Meter. It has to give up on one that does not answer. */
  epoch(teamId: string): Promise<number>;
  /** Lets work go on after the answer. */
  background(work: Promise<unknown>): void;
  now(): number;
}

/** A record, or the knowledge that there is none. */
export type CachedRecord<R extends EpochRecord> = { record: R } | { record: null };

/** A record is used without a second look for this long, then renewed in the background. */
const FRESH_MS = 10_000;
/** And is not used at all after this. */
const STALE_MS = 600_000;
/** An epoch is asked for in the background from this age on … */
const EPOCH_RENEW_MS = 500;
/** … and before the request goes on, from this. So a revocation holds within a second. */
const EPOCH_FRESH_MS = 1_000;
/** With the Meter out of reach, a known record goes on under its last epoch for this long. */
const EPOCH_GRACE_MS = 60_000;

interface HeldRecord<R extends EpochRecord> {
  cached: CachedRecord<R>;
  loadedAt: number;
  renewing: boolean;
}

interface HeldEpoch {
  value: number;
  checkedAt: number;
  renewingSince: number;
  /** When the Meter last did not answer. */
  failedAt: number;
}

export interface EpochRingOptions {
  /** What its records are about, for the sentence of an error: "key" … */
  of: string;
  /** How long what is not there stays unknown, in milliseconds. */
  unknownMs: number;
  /** How many records, and as many epochs, it holds at most. */
  limit?: number;
}

/**
 * An isolate's memory of records, such as those of keys: isolate map → shared cache → Postgres, all under the team's
 * epoch. It holds plain values only, so it may be shared by all requests of an isolate; what reaches out comes with
 * each call.
 */
export class EpochRing<R extends EpochRecord> {
  private readonly records: BoundedMap<string, HeldRecord<R>>;
  private readonly epochs: BoundedMap<string, HeldEpoch>;
  private readonly options: EpochRingOptions;

  constructor(options: EpochRingOptions) {
    this.options = options;
    this.records = new BoundedMap(options.limit ?? 20_000);
    this.epochs = new BoundedMap(options.limit ?? 20_000);
  }

  /**
   * The record of this name, where this isolate knows without asking anybody that it is no more than a second out of
   * date; else null, and `find` says what there is. What is due for renewal is renewed in the background.
   */
  ready(name: string, now: number, sources: () => RecordSources<R>): R | null {
    const held = this.records.get(name);
    const record = held?.cached.record;
    if (!held || !record || now - held.loadedAt >= FRESH_MS) return null;
    const epoch = this.epochs.get(record.teamId);
    if (!epoch || now - epoch.checkedAt >= EPOCH_FRESH_MS || record.epoch < epoch.value)
      return null;
    this.renewEpoch(record.teamId, epoch, now, sources);
    return record;
  }

  /**
   * The record of this name, no more than a second out of date, or null where there is none.
   * @throws AppError `unavailable` when neither the Meter nor a recent enough epoch can be had
   */
  async find(name: string, sources: RecordSources<R>): Promise<R | null> {
    const ready = this.ready(name, sources.now(), () => sources);
    if (ready) return ready;
    const held = this.records.get(name);
    const age = held ? sources.now() - held.loadedAt : Infinity;
    if (held?.cached.record === null && age < this.options.unknownMs) return null;
    if (held?.cached.record && age < STALE_MS) {
      const { record } = held.cached;
      const epoch = await this.epochOf(record.teamId, sources);
      if (record.epoch >= epoch) {
        if (age > FRESH_MS && !held.renewing) this.renew(name, held, sources);
        return record;
      }
      return this.fetch(name, sources, epoch);
    }
    return this.fetch(name, sources, null);
  }

  /** Forgets a record, such as one that this isolate has just changed. */
  forget(name: string): void {
    this.records.delete(name);
  }

  private async fetch(
    name: string,
    sources: RecordSources<R>,
    knownEpoch: number | null,
  ): Promise<R | null> {
    const cached = await sources.readCache(name);
    if (cached?.record === null) return this.hold(name, cached, sources);
    if (cached) {
      const epoch = knownEpoch ?? (await this.epochOf(cached.record.teamId, sources));
      if (cached.record.epoch >= epoch) return this.hold(name, cached, sources);
    }
    return this.load(name, sources);
  }

  private async load(name: string, sources: RecordSources<R>): Promise<R | null> {
    const asked = sources.now(); // what comes back is as old as the question
    const record = await sources.load(name);
    const cached: CachedRecord<R> = record === null ? { record } : { record };
    sources.background(sources.writeCache(name, cached));
    if (record) {
      // Postgres is the truth: an epoch read with the record is never behind what the record says.
      const known = this.epochs.get(record.teamId);
      if (!known || known.value < record.epoch) {
        this.epochs.set(record.teamId, {
          value: record.epoch,
          checkedAt: asked,
          renewingSince: 0,
          failedAt: 0,
        });
      }
    }
    return this.hold(name, cached, sources);
  }

  private hold(name: string, cached: CachedRecord<R>, sources: RecordSources<R>): R | null {
    this.records.set(name, { cached, loadedAt: sources.now(), renewing: false });
    return cached.record;
  }

  private renew(name: string, held: HeldRecord<R>, sources: RecordSources<R>): void {
    held.renewing = true;
    const work = this.load(name, sources).catch(() => {
      held.renewing = false; // it stays usable until it is stale; the next request tries again
    });
    sources.background(work);
  }

  private async epochOf(teamId: string, sources: RecordSources<R>): Promise<number> {
    const held = this.epochs.get(teamId);
    const now = sources.now();
    const age = held ? now - held.checkedAt : Infinity;
    // One that did not answer is asked in the background until it does, so that no request waits for it again.
    const isLost = held && held.failedAt > held.checkedAt && age < EPOCH_GRACE_MS;
    if (held && (age < EPOCH_FRESH_MS || isLost)) {
      this.renewEpoch(teamId, held, now, () => sources);
      return held.value;
    }
    try {
      return await this.askEpoch(teamId, sources);
    } catch (error) {
      if (held && age < EPOCH_GRACE_MS) return held.value;
      throw new AppError("unavailable", {
        message: `The ${this.options.of} cannot be checked right now. Try again in a moment.`,
        retryAfterSeconds: 1,
        cause: error,
      });
    }
  }

  /** Asks for the epoch in the background, where that is due and nobody does. */
  private renewEpoch(
    teamId: string,
    held: HeldEpoch,
    now: number,
    of: () => RecordSources<R>,
  ): void {
    if (now - held.checkedAt <= EPOCH_RENEW_MS || now - held.renewingSince <= EPOCH_FRESH_MS)
      return;
    held.renewingSince = now;
    const sources = of();
    sources.background(this.askEpoch(teamId, sources).catch(() => undefined));
  }

  private async askEpoch(teamId: string, sources: RecordSources<R>): Promise<number> {
    const asked = sources.now(); // the answer is as old as the question
    try {
      const value = await sources.epoch(teamId);
      const held = this.epochs.get(teamId);
      if (held && held.value > value) return held.value;
      this.epochs.set(teamId, { value, checkedAt: asked, renewingSince: 0, failedAt: 0 });
      return value;
    } catch (error) {
      const held = this.epochs.get(teamId);
      if (held) held.failedAt = sources.now();
      throw error;
    }
  }
}
