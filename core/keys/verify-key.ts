import { eq } from "drizzle-orm";
import { apiKeys, teams } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { type Scope, SCOPES } from "../kernel/scopes.ts";
import { hashApiKey, shownPrefix } from "./api-key.ts";
import { principalOf, toKeyRecord } from "./key-record.ts";
import { toApiKey } from "./key.ts";

/** What a key is told about itself. */
export interface KeyFacts {
  kind: "key" | "super_admin";
  id: string | null;
  name: string;
  team: { id: string; name: string } | null;
  scopes: Scope[];
  models: string[];
  metadata: Record<string, unknown>;
  enabled: boolean;
  prefix: string | null;
  /** When the presented secret stops to work; after a rotation, the end of its grace. */
  expiresAt: Date | null;
  createdAt: Date | null;
}

/**
 * Tells a key about itself, as it is at this moment: here a revocation holds at once.
 * @param presentedKey the secret that came with the request; it says whether it is the old one of a rotation
 * @throws AppError `forbidden` for callers without a key, or what principalOf says of a key that has just ended
 */
export async function verifyKey(context: Context, presentedKey: () => string): Promise<KeyFacts> {
  const { principal } = context;
  if (principal.kind === "super_admin") return superAdminFacts(context, principal.teamId);
  if (principal.kind !== "key")
    throw new AppError("forbidden", { message: "This route is for requests with an API key." });
  const [row] = await context.db
    .select({ key: apiKeys, team: teams })
    .from(apiKeys)
    .innerJoin(teams, eq(teams.id, apiKeys.teamId))
    .where(eq(apiKeys.id, principal.keyId));
  if (!row)
    throw new AppError("invalid_api_key", {
      message: "This API key was deleted. Use another one.",
    });
  const presented = presentedKey();
  const hash = await hashApiKey(presented);
  const record = toKeyRecord(row.key, hash, row.team);
  principalOf(record, context.now().getTime()); // refuses what has ended since the key was let in
  const key = toApiKey(row.key, []);
  return {
    kind: "key",
    id: key.id,
    name: key.name,
    team: { id: key.teamId, name: row.team.name },
    scopes: key.scopes,
    models: key.models,
    metadata: key.metadata,
    enabled: key.enabled,
    prefix: shownPrefix(presented),
    expiresAt: record.expiresAt === null ? null : new Date(record.expiresAt),
    createdAt: key.createdAt,
  };
}

/** Super admin keys come from the settings: they have no record, no end, and no part of them is shown. */
async function superAdminFacts(context: Context, teamId: string | null): Promise<KeyFacts> {
  const [team] =
    teamId === null
      ? []
      : await context.db
          .select({ id: teams.id, name: teams.name })
          .from(teams)
          .where(eq(teams.id, teamId));
  return {
    kind: "super_admin",
    id: null,
    name: "Super admin",
    team: team ?? null,
    scopes: [...SCOPES],
    models: ["*"],
    metadata: {},
    enabled: true,
    prefix: null,
    expiresAt: null,
    createdAt: null,
  };
}
