import { BoundedMap } from "../kernel/bounded-map.ts";
import type { VerifiedToken } from "./verify-token.ts";

interface Remembered {
  token: VerifiedToken;
  /** Of the issuer's keys when it was verified. */
  keysVersion: number;
}

/** What an isolate remembers of tokens that it has verified, by their digest, so that a warm request costs no signature. */
export class TokenMemory {
  private readonly tokens: BoundedMap<string, Remembered>;

  constructor(limit = 20_000) {
    this.tokens = new BoundedMap(limit);
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

  keep(digest: string, token: VerifiedToken, keysVersion: number): void {
    this.tokens.set(digest, { token, keysVersion });
  }
}
