import { within } from "#core/kernel/within.ts";
import type { TeamStanding } from "#core/meter/team-standing.ts";
import type { Deps } from "./deps.ts";

/** A Meter that takes longer, in milliseconds, counts as out of reach; it may be busy, or have to wake first … */
const LONG_PATIENCE_MS = 10_000;
/** … but nobody waits that long who could go on without its word. */
export const SHORT_PATIENCE_MS = 3_000;

/**
 * Asks the team's Meter for its epoch and limits, and notes what became of it.
 * @throws Error when the Meter does not answer in time
 */
export async function askStanding(
  { meter, limits }: Pick<Deps, "meter" | "limits">,
  teamId: string,
): Promise<TeamStanding> {
  const askedAt = Date.now();
  const hasLast = limits.last(teamId, askedAt) !== null;
  try {
    const work = meter.standing(teamId);
    const standing = await within(hasLast ? SHORT_PATIENCE_MS : LONG_PATIENCE_MS, work);
    limits.learn(teamId, standing, askedAt);
    return standing;
  } catch (error) {
    limits.miss(teamId, Date.now());
    throw error;
  }
}
