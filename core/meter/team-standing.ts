import { BoundedMap } from "../kernel/bounded-map.ts";
import type { LimitRule } from "./limit-rule.ts";

/** What an isolate has to know of a team, no more than a second old. */
export interface TeamStanding {
  epoch: number;
  limits: LimitRule[];
  /** The digest of the team's guard rails; null where it has none. */
  guardRails: string | null;
  /** Names of skills that the team has switched off. */
  skillsOff: string[];
}

/** What holds for a team's requests. */
export type TeamRules = Readonly<Pick<TeamStanding, "limits" | "guardRails" | "skillsOff">>;

/** Limits are asked for anew before a request goes on, from this age on … */
const FRESH_MS = 1_000;
/** … and with the Meter out of reach they hold for this long. */
const GRACE_MS = 60_000;

/** A Meter that did not answer is left alone for this long, where the last that it said will do. */
const MISSED_MS = 3_000;

/**
 * An isolate's memory of the limits of teams, of their guard rails and of the skills they want. The epoch check of keys keeps it up
 * to date; plain values only.
 */
export class LimitBook {
  private readonly teams: BoundedMap<string, TeamRules & { at: number }>;
  private readonly missed: BoundedMap<string, number>;

  constructor(size = 20_000) {
    this.teams = new BoundedMap(size);
    this.missed = new BoundedMap(size);
  }

  /** Takes what the Meter said, and gives the epoch. @param askedAt what it said is as old as the question */
  learn(teamId: string, standing: TeamStanding, askedAt: number): number {
    const { epoch, limits, guardRails, skillsOff } = standing;
    this.teams.set(teamId, { limits, guardRails, skillsOff, at: askedAt });
    this.missed.delete(teamId);
    return epoch;
  }

  /** Takes that the Meter did not answer. */
  miss(teamId: string, now: number): void {
    this.missed.set(teamId, now);
  }

  /** Whether the Meter did not answer a moment ago, so that nobody should wait for it again. */
  isMissed(teamId: string, now: number): boolean {
    const at = this.missed.get(teamId);
    return at !== undefined && now - at < MISSED_MS;
  }

  /** What holds for the team's requests, where it is known and fresh. */
  fresh(teamId: string, now: number): TeamRules | null {
    const held = this.teams.get(teamId);
    return held && now - held.at < FRESH_MS ? held : null;
  }

  /** The last that was known, while the Meter cannot be reached. */
  last(teamId: string, now: number): TeamRules | null {
    const held = this.teams.get(teamId);
    return held && now - held.at < GRACE_MS ? held : null;
  }
}
