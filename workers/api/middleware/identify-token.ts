import type { AccessRules } from "#core/access/access-rules.ts";
import { fetchIssuerKeys } from "#core/identity/fetch-issuer-keys.ts";
import type { KeySet, KeySetSources } from "#core/identity/issuer-keys.ts";
import {
  loadStanding,
  principalOfToken,
  type Standing,
  standingName,
} from "#core/identity/token-standing.ts";
import { looksLikeToken, type VerifiedToken, verifyToken } from "#core/identity/verify-token.ts";
import { AppError } from "#core/kernel/errors.ts";
import { isId } from "#core/kernel/ids.ts";
import type { Principal } from "#core/kernel/principal.ts";
import { noSuchTeam } from "#core/teams/reach-team.ts";
import type { CachedRecord, RecordSources } from "#core/teams/epoch-ring.ts";
import { openDatabase } from "#platform/database.ts";
import type { AppContext } from "../app-types.ts";
import { askStanding } from "../ask-standing.ts";

/** How long an issuer's keys and a bearer's standing may stay in the shared cache, in seconds. */
const KEYS_SECONDS = 24 * 60 * 60;
const STANDING_SECONDS = 600;

/** Routes for people who are in no team yet: who they are, and invitations. */
const WITHOUT_TEAM = /^\/v1\/(me|invitations\/.+)$/;

/** Whether what came is a token, in the one place where tokens may be, and there are issuers to vouch for it. */
export function isToken(c: AppContext, presented: string): boolean {
  return (
    c.get("deps").settings.OIDC_ISSUERS.length > 0 &&
    looksLikeToken(presented) &&
    c.req.header("authorization") !== undefined
  );
}

/**
 * Who bears the token, and what their team asks of the request in turn. Warm, it costs no cryptography and no hop.
 * @throws AppError `invalid_token`, `expired_token`, `not_found` for a team that is none of theirs, `forbidden` for
 * those who are in no team, `unavailable`
 */
export async function identifyToken(
  c: AppContext,
  presented: string,
): Promise<{ principal: Principal; access: AccessRules | null }> {
  const token = await verified(c, presented);
  c.set("bearer", token);
  const teamId = teamFor(token, namedTeam(c));
  const { standings } = c.get("deps");
  const name = standingName(token, teamId);
  const nobody = token.membership === null && teamId === null;
  const standing = nobody ? null : await standings.find(name, standingSources(c, token, teamId));
  if (standing) return { principal: principalOfToken(token, standing), access: standing.access };
  if (namedTeam(c) !== null) throw noSuchTeam();
  if (!WITHOUT_TEAM.test(c.req.path))
    throw new AppError("forbidden", {
      message: "This token opens no team here. Ask an admin of the team for an invitation.",
    });
  standings.forget(name); // what they do now may be to come in
  const { issuer, subject } = token;
  return { principal: { kind: "person", teamId: null, issuer, subject }, access: null };
}

async function verified(c: AppContext, presented: string): Promise<VerifiedToken> {
  const { settings, issuerKeys, tokens } = c.get("deps");
  const sources = keySources(c);
  const made = tokens.digestOf(presented);
  const digest = typeof made === "string" ? made : await made;
  const now = Date.now();
  const known = tokens.find(digest, now, (issuer) => issuerKeys.version(issuer, sources));
  if (known) return known;
  let keysVersion = 0;
  const token = await verifyToken(presented, settings.OIDC_ISSUERS, {
    now,
    async findKey(issuer, wanted) {
      const { key, version } = await issuerKeys.find(issuer, wanted, sources);
      keysVersion = version;
      return key;
    },
  });
  tokens.keep(presented, digest, { token, keysVersion });
  return token;
}

/** The team in the header x-team-id, whatever it says; null where there is none. */
function namedTeam(c: AppContext): string | null {
  return c.req.header("x-team-id") || null;
}

/**
 * The team to look into: of those that the rule gives the named or else the first one, of a person's own the named one.
 * @throws AppError `not_found`
 */
function teamFor({ teams }: VerifiedToken, named: string | null): string | null {
  if (named !== null && (!isId("team", named) || (teams !== null && !teams.includes(named))))
    throw noSuchTeam();
  return named ?? teams?.[0] ?? null;
}

function keySources(c: AppContext): KeySetSources {
  const { cache, settings, log } = c.get("deps");
  const reach = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    allowPrivate: settings.ALLOW_PRIVATE_UPSTREAMS,
  };
  return {
    readCache: (issuer) => cache.get<KeySet>(`issuer-keys:${issuer}`),
    writeCache: (issuer, set) => cache.set(`issuer-keys:${issuer}`, set, KEYS_SECONDS),
    fetchKeys: (issuer) => fetchIssuerKeys(issuer, reach),
    background: (work) => c.executionCtx.waitUntil(work),
    failed: (issuer, error) => log.warn("issuer_keys_failed", { issuer, error }),
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    now: Date.now,
  };
}

function standingSources(
  c: AppContext,
  token: VerifiedToken,
  teamId: string | null,
): RecordSources<Standing> {
  const { cache, settings } = c.get("deps");
  return {
    readCache: (name) => cache.get<CachedRecord<Standing>>(`standing:${name}`),
    async writeCache(name, cached) {
      // That somebody is in no team may change at any moment, and no epoch tells.
      if (cached.record) await cache.set(`standing:${name}`, cached, STANDING_SECONDS);
    },
    load: () => loadStanding(openDatabase(settings), token, teamId),
    epoch: async (ofTeam) => (await askStanding(c.get("deps"), ofTeam)).epoch,
    background: (work) => c.executionCtx.waitUntil(work),
    now: Date.now,
  };
}
