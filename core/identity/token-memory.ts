import { BoundedMap } from "../kernel/bounded-map.ts";
import { sha256Hex } from "../kernel/digest.ts";
import type { VerifiedToken } from "./verify-token.ts";

interface Remembered {
  token: VerifiedToken;
  /** Of the issuer's keys when it was verified. */
  keysVersion: number;
}

/** Of so many good tokens the digest need not be made again; they are kept whole, 16 MB of the longest ones. */
const WHOLE_TOKENS = 2_000;

/** What an isolate remembers of tokens that it has verified, by their digest, so that a warm request costs no cryptography. */
export class TokenMemory {
  private readonly tokens: BoundedMap<string, Remembered>;

  private readonly digests = new BoundedMap<string, string>(WHOLE_TOKENS);

  constructor(limit = 20_000) {
    this.tokens = new BoundedMap(limit);
  }

  /** SHA-256 of a token in hex. */
  digestOf(text: string): string | Promise<string> {
    return this.digests.get(text) ?? sha256Hex(text);
  }

  /**
   * A token that was verified by the keys that its issuer has now, and has not expired since.
   * @param keysVersion the version of an issuer's keys; null where they are not to be believed
   */
  find(
    digest: string,
    now: number,
    keysVersion: (issuer: string) => number | null,
  ): VerifiedToken | null {
    const known = this.tokens.get(digest);
    if (!known) return null;
    const { token } = known;
    if (now < token.expiresAt && keysVersion(token.issuer) === known.keysVersion) return token;
    this.tokens.delete(digest);
    return null;
  }

  /** @param text the whole token, which is a good one */
  keep(
    text: string,
    digest: string,
    verified: { token: VerifiedToken; keysVersion: number },
  ): void {
    this.digests.set(text, digest);
    this.tokens.set(digest, verified);
  }
}
