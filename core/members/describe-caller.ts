import { eq, inArray } from "drizzle-orm";
import { apiKeys, members, teams } from "#schema";
import { membershipsOf } from "../identity/token-standing.ts";
import type { VerifiedToken } from "../identity/verify-token.ts";
import type { Context } from "../kernel/context.ts";
import type { Permission, Role } from "../kernel/permissions.ts";
import { hasScope, isOwner, type Principal } from "../kernel/principal.ts";
import { SCOPES } from "../kernel/scopes.ts";

/** Teams that one answer lists. */
const MOST_TEAMS = 200;

/** A team that the caller may act for. */
export interface OwnTeam {
  id: string;
  name: string;
  /** What the person is there; null for keys and for those whom an issuer's rule lets in. */
  role: Role | null;
}

/** Who asks, and what they may do. */
export interface Caller {
  kind: Principal["kind"];
  key: { id: string; name: string; prefix: string; expiresAt: Date | null } | null;
  identity: { issuer: string; subject: string; email: string | null } | null;
  member: { id: string; role: Role } | null;
  /** The team that the request acts for. */
  team: OwnTeam | null;
  /** All that they could name in x-team-id. A super admin can name every team, and has those listed elsewhere. */
  teams: OwnTeam[];
  /** What they may do in that team, `admin` spelled out. */
  scopes: Permission[];
  models: string[];
  endUser: string | null;
}

/**
 * Tells callers who they are here, as it is in Postgres at this moment.
 * @param bearer what a token says, for requests that came with one
 */
export async function describeCaller(
  context: Context,
  bearer: VerifiedToken | undefined,
): Promise<Caller> {
  const { principal } = context;
  const own = bearer ? await teamsOfBearer(context, bearer) : await teamsById(context, [principal]);
  const token = principal.kind === "token" ? principal : null;
  return {
    kind: principal.kind,
    key: principal.kind === "key" ? await keyOf(context, principal.keyId) : null,
    identity: bearer
      ? { issuer: bearer.issuer, subject: bearer.subject, email: bearer.email }
      : null,
    member: token?.member ?? null,
    team: own.find(({ id }) => id === principal.teamId) ?? null,
    teams: own,
    scopes: scopesOf(principal),
    models: [
      ...(principal.kind === "key" ? principal.models : (token?.models ?? allModels(principal))),
    ],
    endUser: token?.endUser ?? (principal.kind === "telegram" ? principal.endUser : null),
  };
}

const allModels = ({ kind }: Principal): string[] => (kind === "person" ? [] : ["*"]);

function scopesOf(principal: Principal): Permission[] {
  const scopes: Permission[] = SCOPES.filter((scope) => hasScope(principal, scope));
  return isOwner(principal) ? [...scopes, "owner"] : scopes;
}

async function teamsById(
  { db }: Context,
  named: readonly { teamId: string | null }[],
): Promise<OwnTeam[]> {
  const ids = named.flatMap(({ teamId }) => teamId ?? []);
  if (ids.length === 0) return [];
  const rows = await db
    .select({ id: teams.id, name: teams.name })
    .from(teams)
    .where(inArray(teams.id, ids.slice(0, MOST_TEAMS)))
    .orderBy(teams.id);
  return rows.map((team) => ({ ...team, role: null }));
}

async function teamsOfBearer(context: Context, bearer: VerifiedToken): Promise<OwnTeam[]> {
  if (bearer.membership === null)
    return teamsById(
      context,
      (bearer.teams ?? []).map((teamId) => ({ teamId })),
    );
  const rows = await context.db
    .select({ id: teams.id, name: teams.name, role: members.role, issuer: members.issuer })
    .from(members)
    .innerJoin(teams, eq(teams.id, members.teamId))
    .where(membershipsOf(bearer))
    .orderBy(teams.id)
    .limit(MOST_TEAMS);
  // Who is in a team by e-mail and by identity too is what the identity says; see loadStanding.
  const known = new Set(rows.filter(({ issuer }) => issuer !== null).map(({ id }) => id));
  return rows
    .filter(({ id, issuer }) => issuer !== null || !known.has(id))
    .map(({ id, name, role }) => ({ id, name, role }));
}

async function keyOf({ db }: Context, keyId: string): Promise<Caller["key"]> {
  const [key] = await db
    .select({
      id: apiKeys.id,
      name: apiKeys.name,
      prefix: apiKeys.prefix,
      expiresAt: apiKeys.expiresAt,
    })
    .from(apiKeys)
    .where(eq(apiKeys.id, keyId));
  return key ?? null;
}
