/** A map that never holds more than `limit` entries: the one that was set or read longest ago makes room. */
export class BoundedMap<K, V> {
  private readonly entriesByAge = new Map<K, V>();
  private readonly limit: number;
  /** What was set or read last, which need not be moved to be the youngest. */
  private youngest: K | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.entriesByAge.size;
  }

  entries(): IterableIterator<[K, V]> {
    return this.entriesByAge.entries();
  }

  values(): IterableIterator<V> {
    return this.entriesByAge.values();
  }

  get(key: K): V | undefined {
    const value = this.entriesByAge.get(key);
    if (value !== undefined && key !== this.youngest) {
      this.entriesByAge.delete(key);
      this.entriesByAge.set(key, value);
      this.youngest = key;
    }
    return value;
  }

  set(key: K, value: V): void {
    this.entriesByAge.delete(key);
    this.entriesByAge.set(key, value);
    this.youngest = key;
    if (this.entriesByAge.size > this.limit) {
      const [oldest] = this.entriesByAge.keys();
      if (oldest !== undefined) this.entriesByAge.delete(oldest);
    }
  }

  delete(key: K): void {
    this.entriesByAge.delete(key);
    if (key === this.youngest) this.youngest = undefined;
  }
}
