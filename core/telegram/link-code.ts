import { sha256Hex } from "../kernel/digest.ts";

/** Crockford's base 32; a start parameter of a deep link may hold A-Z, a-z, 0-9, _ and -, up to 64 of them. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 24;

/** A new code: 120 random bits. Only its hash is stored. */
export function newLinkCode(): string {
  let code = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH)))
    code += ALPHABET.charAt(byte & 31);
  return code;
}

/** Whether a text has the shape of a code, so that a wrong one costs no query. */
export function isLinkCode(text: string): boolean {
  return text.length === LENGTH && /^[0-9a-hjkmnp-tv-z]+$/.test(text);
}

/** How a code is stored. */
export function hashLinkCode(code: string): Promise<string> {
  return sha256Hex(code);
}
