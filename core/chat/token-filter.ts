/** How many bits stand for a token. */
const PROBES = 3;

/** One more character, as a UTF-16 unit, in a token's hash; 0 begins one. */
export function hashOn(hash: number, code: number): number {
  return Math.imul(hash ^ smallLetter(code), 0x9e3779b1) ^ (hash >>> 15);
}

/** A Bloom filter: a set of tokens in few bits each, which says of some others too that they are in it. */
export class TokenFilter {
  readonly bytes: Uint8Array;
  /** How many bits of the bytes count. */
  readonly size: number;

  constructor(bytes: Uint8Array, size: number) {
    this.bytes = bytes;
    this.size = size;
  }

  /** Whether a token with this hash may be in the set. */
  has(hash: number): boolean {
    const first = scramble(hash);
    const step = scramble(hash ^ 0x5bd1e995) | 1;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = ((first + Math.imul(probe, step)) >>> 0) % this.size;
      if ((((this.bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 0) return false;
    }
    return true;
  }

  add(hash: number): void {
    const first = scramble(hash);
    const step = scramble(hash ^ 0x5bd1e995) | 1;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = ((first + Math.imul(probe, step)) >>> 0) % this.size;
      this.bytes[bit >>> 3] = (this.bytes[bit >>> 3] ?? 0) | (1 << (bit & 7));
    }
  }
}

/** MurmurHash3's finish. */
function scramble(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Latin and Cyrillic capitals as small letters, without the cost of `toLowerCase`. */
function smallLetter(code: number): number {
  const capital =
    (code >= 65 && code <= 90) ||
    (code >= 0xc0 && code <= 0xde) ||
    (code >= 0x410 && code <= 0x42f);
  return capital ? code + 32 : code;
}
