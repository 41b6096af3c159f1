import type { GuardRails } from "#core/guard-rails/guard-rails.ts";
import { loadGuardRails, type StoredRails } from "#core/guard-rails/load-guard-rails.ts";
import { openDatabase } from "#platform/database.ts";
import { teamRules } from "./admit-request.ts";
import type { AppContext } from "./app-types.ts";

/** How long rules stay in the shared cache, in seconds; they go by their digest, so they are never out of date. */
const CACHE_SECONDS = 3_600;

/**
 * The guard rails of a team, no more than a second out of date; null where it has none. In memory as long as the
 * team's limits are.
 * @throws AppError `unavailable` where they cannot be had: then nothing may go on without them
 */
export function guardRailsOf(
  c: AppContext,
  teamId: string,
): GuardRails | null | Promise<GuardRails | null> {
  const known = c.get("deps").limits.fresh(teamId, Date.now());
  if (known === null)
    return teamRules(c, teamId).then(({ guardRails }) => railsByDigest(c, teamId, guardRails));
  return known.guardRails === null ? null : railsByDigest(c, teamId, known.guardRails);
}

function railsByDigest(
  c: AppContext,
  teamId: string,
  digest: string | null,
): GuardRails | null | Promise<GuardRails | null> {
  if (digest === null) return null;
  const { rails, cache, settings } = c.get("deps");
  const held = rails.get(teamId, digest);
  if (held) return held;
  return rails.load(teamId, digest, {
    readCache: (name) => cache.get<StoredRails>(name),
    writeCache: (name, stored) => cache.set(name, stored, CACHE_SECONDS),
    load: (id) => loadGuardRails(openDatabase(settings), id),
    background: (work) => c.executionCtx.waitUntil(work),
  });
}
