import { compileGuardRails, type GuardRails } from "./guard-rails.ts";
import type { StoredRails } from "./load-guard-rails.ts";

/** Where rules come from when the isolate does not have them. */
export interface RailSources {
  /** The shared cache; null where it has nothing. */
  readCache(name: string): Promise<StoredRails | null>;
  writeCache(name: string, stored: StoredRails): Promise<void>;
  /** Postgres. */
  load(teamId: string): Promise<StoredRails | null>;
  /** Lets work go on after the answer. */
  background(work: Promise<unknown>): void;
}

/** What all rules that an isolate holds may take together, in UTF-16 units of their JSON; ready to be used they take some 40 times as many bytes. */
const HELD_LIMIT = 512 * 1024;
/** What rules take besides, however short they are. */
const LEAST_WEIGHT = 4 * 1024;

/** An isolate's memory of rules that are ready to be used, by team and digest. They hold nothing of any request. */
export class RailBook {
  private readonly held = new Map<string, { rails: GuardRails; weight: number }>();
  private weight = 0;

  /** The rules of this digest, where the isolate has them. */
  get(teamId: string, digest: string): GuardRails | null {
    const name = nameOf(teamId, digest);
    const found = this.held.get(name);
    if (!found) return null;
    this.held.delete(name); // the one that was used longest ago goes first
    this.held.set(name, found);
    return found.rails;
  }

  /** Gets the rules of this digest, or those that have taken their place meanwhile; null where these are none. */
  async load(teamId: string, digest: string, sources: RailSources): Promise<GuardRails | null> {
    const name = nameOf(teamId, digest);
    const cached = await sources.readCache(name);
    const stored = cached?.digest === digest ? cached : await sources.load(teamId);
    if (stored === null) return null;
    const known = this.get(teamId, stored.digest);
    if (known) return known;
    if (cached !== stored)
      sources.background(sources.writeCache(nameOf(teamId, stored.digest), stored));
    const rails = compileGuardRails(stored.rules, stored.digest);
    this.hold(nameOf(teamId, stored.digest), rails, JSON.stringify(stored.rules).length);
    return rails;
  }

  private hold(name: string, rails: GuardRails, size: number): void {
    const weight = Math.max(LEAST_WEIGHT, size);
    this.held.set(name, { rails, weight });
    this.weight += weight;
    for (const [oldest, entry] of this.held) {
      if (this.weight <= HELD_LIMIT || oldest === name) return;
      this.held.delete(oldest);
      this.weight -= entry.weight;
    }
  }
}

const nameOf = (teamId: string, digest: string) => `rails:${teamId}:${digest}`;
