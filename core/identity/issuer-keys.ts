import { importJWK } from "jose/key/import";
import { AppError } from "../kernel/errors.ts";
import { BoundedMap } from "../kernel/bounded-map.ts";
import { keyFor, type PublicKey } from "./public-key.ts";
import { invalidToken } from "./token-faults.ts";

/** An issuer's keys, as they are kept in the shared cache too. */
export interface KeySet {
  keys: PublicKey[];
  /** When the issuer gave them, milliseconds since 1970. */
  fetchedAt: number;
  /** When the issuer was last asked for a key that was not among them. */
  missedAt?: number;
}

/** Where an issuer's keys come from when the isolate does not have them. */
export interface KeySetSources {
  /** The shared cache; null where it has nothing. */
  readCache(issuer: string): Promise<KeySet | null>;
  writeCache(issuer: string, set: KeySet): Promise<void>;
  /** From the issuer itself. */
  fetchKeys(issuer: string): Promise<PublicKey[]>;
  /** Lets work go on after the answer. */
  background(work: Promise<unknown>): void;
  /** Told when an issuer does not give its keys. */
  failed(issuer: string, error: unknown): void;
  pause(milliseconds: number): Promise<void>;
  now(): number;
}

/** Keys are used without a second look for this long, then renewed in the background: so long a withdrawn key may work on. */
const FRESH_MS = 10 * 60_000;
/** The longest that keys are used while their issuer is out of reach. */
export const LONGEST_USE_MS = 24 * 60 * 60_000;
/** Between two questions to an issuer for keys that are missing, whatever ids tokens name, and for renewed ones. */
const BRAKE_MS = 30_000;
/** The same, while there are no keys at all: everybody waits for them. */
const COLD_BRAKE_MS = 3_000;
/** A question that has not ended after this has died with its request. */
const QUESTION_MS = 12_000;
const POLL_MS = 25;
const ISSUERS = 100;
/** How often a key that is not there is looked for: among the isolate's, the cache's and the issuer's. */
const ROUNDS = 2;

/** Whether any keys will do that are fresh, or a key is missing among those. */
type Wanted = "any" | "another";

interface HeldKeys {
  set: KeySet | null;
  /** Of the keys, to see whether they have changed. */
  text: string;
  /** Another number for other keys; 0 for none. */
  version: number;
  triedAt: number;
  missedAt: number;
  /** Until when somebody is taken to be asking; 0 for nobody. */
  askingUntil: number;
  imported: BoundedMap<string, CryptoKey>;
}

/**
 * An isolate's memory of issuers' keys: isolate → shared cache → the issuer. A key id that is not known makes it ask
 * again, once in 30 seconds and one request at a time, so that rotated keys work at once and invented ids cost nothing.
 * It holds plain values only: a promise would die with the request that made it, so others look again instead.
 */
export class IssuerKeys {
  private readonly issuers = new BoundedMap<string, HeldKeys>(ISSUERS);

  /**
   * A number that changes with the issuer's keys, for what was verified by them; null where nothing may be believed
   * without a new look. Renews old keys in the background.
   */
  version(issuer: string, sources: KeySetSources): number | null {
    const held = this.issuers.get(issuer);
    if (!held?.set) return null;
    const age = sources.now() - held.set.fetchedAt;
    if (age > FRESH_MS) {
      if (age > LONGEST_USE_MS) return null;
      if (this.mayAsk(held, sources.now(), "any"))
        sources.background(this.ask(issuer, held, sources, "any"));
    }
    return held.version;
  }

  /**
   * The key that a token names.
   * @param kid null where the token names none: then the issuer must have but one that fits
   * @throws AppError `invalid_token` where the issuer has no such key, `unavailable` where its keys cannot be had
   */
  async find(
    issuer: string,
    { kid, alg }: { kid: string | null; alg: string },
    sources: KeySetSources,
  ): Promise<{ key: CryptoKey; version: number }> {
    const held = this.heldOf(issuer);
    if (this.version(issuer, sources) === null) await this.renew(issuer, held, sources, "any");
    let key = keyFor(usable(held, sources.now()), kid, alg);
    for (let round = 0; !key && round < ROUNDS; round++) {
      await this.renew(issuer, held, sources, "another");
      key = keyFor(usable(held, sources.now()), kid, alg);
    }
    if (!key) throw invalidToken("its issuer has no key of this id for its algorithm");
    const { version } = held;
    return { key: await imported(held, key, alg), version };
  }

  private heldOf(issuer: string): HeldKeys {
    const held = this.issuers.get(issuer);
    if (held) return held;
    const imported = new BoundedMap<string, CryptoKey>(50);
    const none = {
      set: null,
      text: "",
      version: 0,
      triedAt: 0,
      missedAt: 0,
      askingUntil: 0,
      imported,
    };
    this.issuers.set(issuer, none);
    return none;
  }

  private mayAsk(held: HeldKeys, now: number, wanted: Wanted): boolean {
    if (now < held.askingUntil) return false;
    if (wanted === "another") return now - held.missedAt >= BRAKE_MS;
    return now - held.triedAt >= (usableSet(held, now) ? BRAKE_MS : COLD_BRAKE_MS);
  }

  /** Asks, or waits for whoever is asking; does nothing where it was asked for the same a moment ago. */
  private async renew(
    issuer: string,
    held: HeldKeys,
    sources: KeySetSources,
    wanted: Wanted,
  ): Promise<void> {
    if (this.mayAsk(held, sources.now(), wanted)) {
      const work = this.ask(issuer, held, sources, wanted);
      sources.background(work); // others wait for it, even when this client hangs up
      return work;
    }
    while (sources.now() < held.askingUntil) await sources.pause(POLL_MS);
  }

  private async ask(
    issuer: string,
    held: HeldKeys,
    sources: KeySetSources,
    wanted: Wanted,
  ): Promise<void> {
    const now = sources.now();
    held.askingUntil = now + QUESTION_MS;
    if (wanted === "any") held.triedAt = now;
    try {
      const cached = await sources.readCache(issuer);
      if (cached && takeShared(held, cached, now, wanted)) return;
      if (wanted === "another") held.missedAt = now;
      const keys = await sources.fetchKeys(issuer);
      const set = { keys, fetchedAt: now, missedAt: held.missedAt };
      take(held, set);
      sources.background(sources.writeCache(issuer, set));
    } catch (error) {
      sources.failed(issuer, error);
      // Counted from here on: an issuer that keeps one waiting is not asked again at once.
      if (wanted === "any") held.triedAt = sources.now();
      else held.missedAt = sources.now();
    } finally {
      held.askingUntil = 0;
    }
  }
}

/** Takes what another isolate has learned. @returns whether the issuer need not be asked */
function takeShared(held: HeldKeys, cached: KeySet, now: number, wanted: Wanted): boolean {
  held.missedAt = Math.max(held.missedAt, cached.missedAt ?? 0);
  const isNews = cached.fetchedAt > (held.set?.fetchedAt ?? 0);
  if (isNews) take(held, cached);
  if (wanted === "any") return isNews && now - cached.fetchedAt < FRESH_MS;
  return isNews || now - held.missedAt < BRAKE_MS;
}

function take(held: HeldKeys, set: KeySet): void {
  const text = JSON.stringify(set.keys);
  held.set = set;
  if (text === held.text) return;
  held.text = text;
  held.version += 1;
  held.imported = new BoundedMap(50);
}

function usableSet(held: HeldKeys, now: number): KeySet | null {
  return held.set && now - held.set.fetchedAt <= LONGEST_USE_MS ? held.set : null;
}

/** @throws AppError `unavailable` */
function usable(held: HeldKeys, now: number): PublicKey[] {
  const set = usableSet(held, now);
  if (set) return set.keys;
  throw new AppError("unavailable", {
    message: "The keys of this token's issuer cannot be had right now. Try again in a moment.",
    retryAfterSeconds: 3,
  });
}

async function imported(held: HeldKeys, key: PublicKey, alg: string): Promise<CryptoKey> {
  const name = `${alg} ${JSON.stringify(key)}`;
  const known = held.imported.get(name);
  if (known) return known;
  const made = await importJWK({ ...key }, alg).catch(() => null);
  if (!(made instanceof CryptoKey)) throw invalidToken("its issuer's key is broken");
  held.imported.set(name, made);
  return made;
}
