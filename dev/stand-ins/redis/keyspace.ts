import { type Bytes, fail, WRONG_TYPE } from "./reply.ts";

export type TypeName = "string" | "hash" | "list" | "set" | "zset" | "stream";

/** What a key holds. Each data type is one class of these. */
export interface Stored {
  readonly type: TypeName;
  /** About how much memory it takes. */
  readonly bytes: number;
  /** Redis deletes a collection with its last element. */
  readonly isEmpty: boolean;
  copy(): Stored;
}

/** A class of stored values, told apart by its type's name. */
export interface StoredClass<T extends Stored> {
  readonly type: TypeName;
  new (): T;
}

interface Entry {
  stored: Stored;
  bytes: number;
  /** Grows with each new key, so that SCAN finds its place again. */
  serial: number;
}

export interface KeyspaceOptions {
  /** The least recently used keys go when more is stored. */
  maxBytes: number;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** About what an entry takes beside its key and value. */
const ENTRY_BYTES = 120;
const SWEEP_BATCH = 1_000;

/** All keys with their values, their expiry and how recently they were used. */
export class Keyspace {
  readonly #entries = new Map<Bytes, Entry>();
  readonly #expiries = new Map<Bytes, number>();
  /** Keys from the least to the most recently used. */
  readonly #recency = new Map<Bytes, true>();
  /** Keys whose values the running command may have changed. */
  readonly #touched = new Set<Bytes>();
  readonly #options: KeyspaceOptions;
  #serial = 0;
  #bytes = 0;
  #sweep: IterableIterator<[Bytes, number]> | undefined;
  #time: number;

  constructor(options: KeyspaceOptions) {
    this.#options = options;
    this.#time = options.now();
  }

  /** The time that a command sees; it stands still within a transaction or script. */
  get time(): number {
    return this.#time;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  tick(): void {
    this.#time = this.#options.now();
  }

  #find(key: Bytes): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const expiry = this.#expiries.get(key);
    if (expiry !== undefined && expiry <= this.#time) {
      this.delete(key);
      return undefined;
    }
    return entry;
  }

  #use(key: Bytes): Entry | undefined {
    const entry = this.#find(key);
    if (!entry) return undefined;
    this.#recency.delete(key);
    this.#recency.set(key, true);
    this.#touched.add(key);
    return entry;
  }

  has(key: Bytes): boolean {
    return this.#find(key) !== undefined;
  }

  typeOf(key: Bytes): TypeName | "none" {
    return this.#find(key)?.stored.type ?? "none";
  }

  /** Whatever a key holds. */
  any(key: Bytes): Stored | undefined {
    return this.#use(key)?.stored;
  }

  /** What a key holds, if anything; fails when that is of another type. */
  get<T extends Stored>(key: Bytes, kind: StoredClass<T>): T | undefined {
    const stored = this.#use(key)?.stored;
    if (stored === undefined) return undefined;
    if (stored.type !== kind.type) fail(WRONG_TYPE);
    return stored as T; // each type name belongs to one class
  }

  getOrCreate<T extends Stored>(key: Bytes, kind: StoredClass<T>): T {
    const found = this.get(key, kind);
    if (found) return found;
    const created = new kind();
    this.set(key, created);
    return created;
  }

  /** Stores a value. An earlier expiry goes, unless it is to be kept. */
  set(key: Bytes, stored: Stored, { keepExpiry = false } = {}): void {
    const known = this.#find(key);
    if (known) known.stored = stored;
    else {
      this.#serial += 1;
      this.#entries.set(key, { stored, bytes: 0, serial: this.#serial });
    }
    if (!keepExpiry) this.#expiries.delete(key);
    this.#use(key);
  }

  delete(key: Bytes): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#bytes -= entry.bytes;
    this.#entries.delete(key);
    this.#expiries.delete(key);
    this.#recency.delete(key);
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#expiries.clear();
    this.#recency.clear();
    this.#touched.clear();
    this.#bytes = 0;
  }

  expiryOf(key: Bytes): number | undefined {
    return this.#find(key) ? this.#expiries.get(key) : undefined;
  }

  /** Sets when a key goes; a time that has passed deletes it now. */
  expireAt(key: Bytes, at: number | undefined): void {
    if (at === undefined) this.#expiries.delete(key);
    else if (at <= this.#time) this.delete(key);
    else if (this.#entries.has(key)) this.#expiries.set(key, at);
  }

  keys(): Bytes[] {
    return [...this.#entries.keys()].filter((key) => this.has(key));
  }

  get size(): number {
    return this.keys().length;
  }

  /** Up to `count` keys that were made after the cursor, and where to go on; 0 is both start and end. */
  scan(cursor: number, count: number): { cursor: number; keys: Bytes[] } {
    const found: Bytes[] = [];
    let seen = 0;
    let last = cursor;
    for (const [key, entry] of this.#entries) {
      if (entry.serial <= cursor) continue;
      if (seen === count) return { cursor: last, keys: found.filter((other) => this.has(other)) };
      seen += 1;
      last = entry.serial;
      found.push(key);
    }
    return { cursor: 0, keys: found.filter((key) => this.has(key)) };
  }

  /** Closes a command: counts what changed and removes collections that became empty. */
  settle(): void {
    for (const key of this.#touched) {
      const entry = this.#entries.get(key);
      if (!entry) continue;
      if (entry.stored.isEmpty) {
        this.delete(key);
        continue;
      }
      const bytes = ENTRY_BYTES + key.length + entry.stored.bytes;
      this.#bytes += bytes - entry.bytes;
      entry.bytes = bytes;
    }
    this.#touched.clear();
  }

  /** Makes room: the least recently used keys go first. */
  evict(): void {
    for (const key of this.#recency.keys()) {
      if (this.#bytes <= this.#options.maxBytes) return;
      this.delete(key);
    }
  }

  /** Looks at some keys and deletes those that have expired, since nobody may ever ask for them again. */
  sweepExpired(): void {
    this.tick();
    this.#sweep ??= this.#expiries.entries();
    for (let looked = 0; looked < SWEEP_BATCH; looked += 1) {
      const { value, done } = this.#sweep.next();
      if (done) {
        this.#sweep = undefined;
        return;
      }
      const [key, expiry] = value;
      if (expiry <= this.#time) this.delete(key);
    }
  }
}
