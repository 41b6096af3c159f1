import type { Stored } from "./keyspace.ts";
import type { Bytes } from "./reply.ts";

const MEMBER_BYTES = 96;

export interface Ranked {
  readonly member: Bytes;
  readonly score: number;
}

/** By score, and by bytes where scores are equal. */
export function compareRanked(a: Ranked, b: Ranked): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  if (a.member === b.member) return 0;
  return a.member < b.member ? -1 : 1;
}

/** Members with scores: a map to find one, and a sorted array for ranks and ranges. */
export class SortedSetValue implements Stored {
  static readonly type = "zset";
  readonly type = "zset";
  readonly scores = new Map<Bytes, number>();
  readonly #ranked: Ranked[] = [];
  bytes = 0;

  get isEmpty(): boolean {
    return this.scores.size === 0;
  }

  /** From the lowest to the highest score. */
  get ranked(): readonly Ranked[] {
    return this.#ranked;
  }

  put(member: Bytes, score: number): void {
    this.remove(member);
    this.scores.set(member, score);
    const entry = { member, score };
    this.#ranked.splice(this.#placeOf(entry), 0, entry);
    this.bytes += MEMBER_BYTES + member.length;
  }

  remove(member: Bytes): boolean {
    const score = this.scores.get(member);
    if (score === undefined) return false;
    this.#ranked.splice(this.#placeOf({ member, score }), 1);
    this.scores.delete(member);
    this.bytes -= MEMBER_BYTES + member.length;
    return true;
  }

  rankOf(member: Bytes): number | undefined {
    const score = this.scores.get(member);
    return score === undefined ? undefined : this.#placeOf({ member, score });
  }

  copy(): SortedSetValue {
    return SortedSetValue.from(this.scores);
  }

  static from(scores: Iterable<readonly [Bytes, number]>): SortedSetValue {
    const created = new SortedSetValue();
    for (const [member, score] of scores) {
      created.scores.set(member, score);
      created.#ranked.push({ member, score });
      created.bytes += MEMBER_BYTES + member.length;
    }
    created.#ranked.sort(compareRanked);
    return created;
  }

  /** Where an entry is, or where it would have to be put. */
  #placeOf(entry: Ranked): number {
    let low = 0;
    let high = this.#ranked.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // `middle` is inside the array.
      if (compareRanked(this.#ranked[middle] as Ranked, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
