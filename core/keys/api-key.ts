import { BoundedMap } from "../kernel/bounded-map.ts";
import { sha256Hex } from "../kernel/digest.ts";

/**
 * What an API key looks like: `sy_live_` + 32 random characters of base 62 (190 bits) + a checksum of 6, the CRC-32
 * of all before it in base 62. A mistyped key is refused without a lookup.
 */
const PREFIX = "sy_live_";
const RANDOM_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SHAPE = /^sy_live_[0-9A-Za-z]{38}$/;

/** How many characters of a key may be shown, to recognise it by. */
const SHOWN_LENGTH = PREFIX.length + 4;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function checksum(text: string): string {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++)
    crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0);
  let rest = (crc ^ 0xffffffff) >>> 0;
  let digits = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = ALPHABET[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** Evenly distributed characters: bytes from 248 on are drawn again, since 248 is the largest multiple of 62 in a byte. */
function randomCharacters(length: number): string {
  let characters = "";
  while (characters.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 248 && characters.length < length) characters += ALPHABET[byte % 62];
    }
  }
  return characters;
}

/** A new key. It is a secret: show it once, store only `hashApiKey` of it. */
export function generateApiKey(): string {
  const body = PREFIX + randomCharacters(RANDOM_LENGTH);
  return body + checksum(body);
}

/** Whether a text can be one of our keys: its shape and its checksum are right. */
export function isWellFormedApiKey(text: string): boolean {
  return (
    SHAPE.test(text) && checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH)
  );
}

/** What may be shown of a key: `sy_live_ab12`. */
export function shownPrefix(apiKey: string): string {
  return apiKey.slice(0, SHOWN_LENGTH);
}

/** Hashes of the keys that an isolate saw last, since each request brings the same few. They never leave its memory. */
const hashes = new BoundedMap<string, string>(5_000);

/** The hash of a key that this isolate has hashed before, so that nothing has to be waited for. */
export const knownHash = (apiKey: string): string | undefined => hashes.get(apiKey);

/** SHA-256 in hex: what is stored and looked up. A key has 190 random bits, so it needs no salt and no slow hash. */
export async function hashApiKey(apiKey: string): Promise<string> {
  const known = knownHash(apiKey);
  if (known !== undefined) return known;
  const hash = await sha256Hex(apiKey);
  hashes.set(apiKey, hash);
  return hash;
}
