import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { apiKeys } from "#schema";
import { boundedJson } from "../kernel/bounded-json.ts";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { isId } from "../kernel/ids.ts";
import { type Principal, requireScope, teamScope } from "../kernel/principal.ts";
import { type Scope, SCOPES } from "../kernel/scopes.ts";
import { DEFAULT_CACHE_SECONDS, LONGEST_CACHE_SECONDS } from "../response-cache/cache-policy.ts";
import { line } from "../kernel/text.ts";
import type { LimitRow } from "../limits/limit.ts";

type KeyRow = typeof apiKeys.$inferSelect;

/** An API key as the verbs return it: everything but what it could be guessed or found by. */
export type ApiKey = Omit<KeyRow, "hash" | "previousHash" | "scopes"> & {
  scopes: Scope[];
  limits: LimitRow[];
};

/** A key and its secret, at the one moment when it can be told. */
export interface IssuedKey {
  key: ApiKey;
  secret: string;
}

const MODELS_LIMIT = 200;

export const keyName = line(200);

export const keyScopes = z
  .array(z.enum(SCOPES))
  .min(1, "must name at least one scope")
  .max(50)
  .transform((scopes) => [...new Set(scopes)]);

/** Names of models as admins and providers give them, in printable ASCII without `*`, or `*` alone for all. */
export const keyModels = z
  .array(z.string().regex(/^(\*|[!-)+-~]{1,200})$/, 'must be the name of a model, or "*" for all'))
  .max(MODELS_LIMIT)
  .transform((models) => [...new Set(models)]);

export const keyExpiry = z.iso
  .datetime({
    offset: true,
    error: "must be a time in ISO 8601 with its zone, such as 2027-01-31T00:00:00Z",
  })
  .transform((text) => new Date(text));

/** `{}` keeps answers for an hour. */
export const keyCache = z.strictObject({
  ttl_seconds: z.number().int().min(1).max(LONGEST_CACHE_SECONDS).default(DEFAULT_CACHE_SECONDS),
});

export const keyMetadata = boundedJson({ bytes: 4096, depth: 5 });

/** Takes from a row what may be shown, and puts its limits beside it. */
export function toApiKey(row: KeyRow, limits: LimitRow[]): ApiKey {
  const { hash: _, previousHash: __, ...key } = row;
  return { ...key, scopes: key.scopes as Scope[], limits }; // createKey and updateKey, which check them, are the only writers
}

/** The one answer for a key that is not there and for one of another team. */
export function noSuchKey(): AppError {
  return new AppError("not_found", {
    message: "There is no such key. GET /v1/keys lists those of your team.",
  });
}

/**
 * Reads a key that the principal manages. Locked, where the context is that of a transaction and `lock` is set.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found`
 */
export async function readManagedKey(
  context: Context,
  keyId: string,
  options: { lock: boolean } = { lock: false },
): Promise<KeyRow> {
  requireScope(context.principal, "admin");
  if (!isId("key", keyId)) throw noSuchKey();
  const own = teamScope(context.principal);
  const query = context.db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.id, keyId), own === null ? undefined : eq(apiKeys.teamId, own)));
  const [row] = options.lock ? await query.for("update") : await query;
  if (!row) throw noSuchKey();
  return row;
}

/**
 * Nobody hands out more than they have: a key may only give scopes and models that it has itself.
 * @throws AppError `forbidden`
 */
export function requireMayGrant(
  principal: Principal,
  grant: { scopes?: readonly Scope[]; models?: readonly string[] },
): void {
  if (principal.kind === "super_admin") return;
  const own = principal.kind === "key" || principal.kind === "token" ? principal : null;
  const scopes: readonly string[] = own?.scopes ?? [];
  const models: readonly string[] = own?.models ?? [];
  const scope = scopes.includes("admin")
    ? undefined
    : grant.scopes?.find((wanted) => !scopes.includes(wanted));
  if (scope !== undefined) throw cannotGrant(`the scope "${scope}"`);
  const model = models.includes("*")
    ? undefined
    : grant.models?.find((wanted) => !models.includes(wanted));
  if (model !== undefined) {
    throw cannotGrant(model === "*" ? "all models" : `the model "${model}"`);
  }
}

function cannotGrant(what: string): AppError {
  return new AppError("forbidden", {
    message: `Nobody can give a key what they lack themselves: ${what}. Use a key that has it.`,
  });
}

/** @throws AppError `conflict` where the key was revoked, which is for good */
export function refuseRevoked(row: KeyRow): void {
  if (row.revokedAt === null) return;
  throw new AppError("conflict", {
    message: "This key was revoked, which cannot be undone. Create another one.",
  });
}
