import type { Next } from "hono";
import type { RequestSource } from "#core/kernel/context.ts";
import { equalDigests, sha256, toHex } from "#core/kernel/digest.ts";
import { addressGroup } from "#core/kernel/address-group.ts";
import { AppError } from "#core/kernel/errors.ts";
import { isId } from "#core/kernel/ids.ts";
import type { AccessRules } from "#core/access/access-rules.ts";
import type { Principal } from "#core/kernel/principal.ts";
import { hashApiKey, isWellFormedApiKey, knownHash } from "#core/keys/api-key.ts";
import { loadKeyRecord, principalOf } from "#core/keys/key-record.ts";
import type { KeyRecord } from "#core/keys/key-record.ts";
import type { CachedRecord, RecordSources } from "#core/teams/epoch-ring.ts";
import { refuseSuspended } from "#core/switches/switches.ts";
import { createContext } from "#platform/context.ts";
import { openDatabase } from "#platform/database.ts";
import type { AppContext } from "../app-types.ts";
import { tooManyAttempts } from "../failed-attempts.ts";
import { internalActorOf } from "../internal-actor.ts";
import { refuseChanges, SIGNAL_KEY, SIGNAL_SECONDS, signalOf } from "../signal.ts";
import { askStanding } from "../ask-standing.ts";
import { addressOf, enforceAccess } from "./enforce-access.ts";
import { identifyToken, isToken } from "./identify-token.ts";

/** How long a key record may stay in the shared cache, in seconds; the team's epoch makes it invalid earlier. */
const CACHE_SECONDS = 600;
const CACHE_UNKNOWN_SECONDS = 60;

/** Finds out who asks; 401 for everybody else. */
export async function authenticate(c: AppContext, next: Next): Promise<void> {
  const looked = signalOf(c); // a cold isolate reads it beside the key
  if (looked instanceof Promise) looked.catch(() => undefined); // who is refused does not wait for it
  const actor = internalActorOf(c.req.raw);
  const known = actor ? { principal: actor, access: null } : knownCaller(c);
  const { principal, access } = known ?? (await whoAsks(c));
  const signal = looked instanceof Promise ? await looked : looked;
  const { settings, secrets, meter, cache, signals } = c.get("deps");
  c.set("signal", signal);
  c.set("principal", principal);
  refuseSuspended(signal, principal);
  refuseChanges(c, signal);
  c.set(
    "context",
    createContext({
      principal,
      requestId: c.get("requestId"),
      source: () => sourceOf(c),
      log: c.get("log"),
      database: settings,
      secrets,
      epochs: meter,
      async announce(changed) {
        signals.take(changed);
        await cache.set(SIGNAL_KEY, changed, SIGNAL_SECONDS);
      },
    }),
  );
  if (actor === null) await enforceAccess(c, access);
  await next();
}

/** Where the request came from, for those who ask. */
function sourceOf(c: AppContext): RequestSource {
  return {
    ip: addressOf(c),
    userAgent: c.req.header("user-agent") ?? null,
    traceId: c.get("trace").traceId,
  };
}

/** Who asks, and what their team and key ask of the request in turn. */
interface Caller {
  principal: Principal;
  access: AccessRules | null;
}

/** The secret that came with the request, where there is one. */
function secretOf(c: AppContext): string | undefined {
  const authorization = c.req.header("authorization");
  return authorization === undefined
    ? c.req.header("x-api-key")
    : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}

/**
 * The secret that came with the request.
 * @throws AppError `missing_api_key`
 */
export function presentedKey(c: AppContext): string {
  const key = secretOf(c);
  if (key) return key;
  throw new AppError("missing_api_key", {
    message: "Send your API key in the header Authorization: Bearer sy_live_… or x-api-key.",
  });
}

/** Who asks, where the isolate knows the key and nothing has to be waited for; else null, and `whoAsks` finds out. */
function knownCaller(c: AppContext): Caller | null {
  const key = secretOf(c);
  const hash = key && knownHash(key);
  if (!hash) return null;
  const now = Date.now();
  const record = c.get("deps").keyRing.ready(hash, now, () => keySources(c));
  const ended = record?.expiresAt != null && record.expiresAt <= now;
  if (!record || record.revoked || !record.enabled || ended) return null;
  return { principal: principalOf(record, now), access: record.access };
}

/**
 * Counts what comes without a valid key by its address, and never what comes with one.
 * @throws AppError `rate_limit_exceeded` when an address has sent too much of it
 */
async function whoAsks(c: AppContext): Promise<Caller> {
  try {
    return await identify(c);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.meaning.status === 401)
      await c.get("deps").failedAttempts.count(countedAs(c), Date.now());
    throw thrown;
  }
}

/** Whom the request is counted to. Cloudflare always sets the header; without it all are one. */
export function countedAs(c: AppContext): string {
  return addressGroup(addressOf(c) ?? "unknown");
}

async function identify(c: AppContext): Promise<Caller> {
  const key = presentedKey(c);
  if (isWellFormedApiKey(key)) {
    const hash = await hashApiKey(key);
    const record = await c.get("deps").keyRing.find(hash, keySources(c));
    if (record) return { principal: principalOf(record, Date.now()), access: record.access };
  } else if (isToken(c, key)) return identifyToken(c, key);
  const fingerprint = await superAdminFingerprint(c, key);
  if (fingerprint !== null)
    return {
      principal: { kind: "super_admin", teamId: namedTeam(c), fingerprint },
      access: null,
    };
  throw new AppError("invalid_api_key", {
    message:
      "This API key is not known. Check that it was copied whole; GET /v1/keys/verify tells a key about itself.",
  });
}

/** Bytes of a super admin key's hash by which the audit log tells such keys apart. */
const FINGERPRINT_BYTES = 6;

/** Null where the key is not one of SUPER_ADMIN_API_KEYS. */
async function superAdminFingerprint(c: AppContext, key: string): Promise<string | null> {
  const digest = await sha256(key);
  let found = false;
  for (const expected of c.get("deps").superAdminHashes)
    found = equalDigests(digest, expected) || found;
  return found ? toHex(digest.subarray(0, FINGERPRINT_BYTES)) : null;
}

/** A super admin acts for the team in the header or the query, or for all where neither is sent. */
function namedTeam(c: AppContext): string | null {
  const teamId = c.req.header("x-team-id") ?? c.req.query("team_id");
  if (teamId === undefined || teamId === "") return null;
  if (isId("team", teamId)) return teamId;
  throw new AppError("invalid_request", {
    message: "x-team-id is not the id of a team, such as team_01….",
    param: "x-team-id",
  });
}

function keySources(c: AppContext): RecordSources<KeyRecord> {
  const { cache, settings } = c.get("deps");
  const background = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  let missed = false;
  return {
    async readCache(hash) {
      const cached = await cache.get<CachedRecord<KeyRecord>>(`key:${hash}`);
      missed = cached === null;
      return cached;
    },
    writeCache: (hash, cached) =>
      cache.set(`key:${hash}`, cached, cached.record ? CACHE_SECONDS : CACHE_UNKNOWN_SECONDS),
    async load(hash) {
      // A key in use is in the cache, so that a busy backend gets through whatever else its address sends.
      if (missed && c.get("deps").failedAttempts.isFlooding(countedAs(c), Date.now()))
        throw tooManyAttempts();
      return loadKeyRecord(openDatabase(settings), hash);
    },
    epoch: async (teamId) => (await askStanding(c.get("deps"), teamId)).epoch,
    background,
    now: Date.now,
  };
}
