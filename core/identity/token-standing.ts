import { and, eq, inArray, isNull, or, type SQL, sql } from "drizzle-orm";
import { members, teams } from "#schema";
import { type AccessRules, accessRulesOf } from "../access/access-rules.ts";
import type { Database } from "../kernel/context.ts";
import { commonPermissions, permissionsOfRole, type Role } from "../kernel/permissions.ts";
import type { Principal } from "../kernel/principal.ts";
import type { EpochRecord } from "../teams/epoch-ring.ts";
import type { VerifiedToken } from "./verify-token.ts";

/** What a token's bearer is in a team. It is cached, so it holds no secret and only plain values. */
export interface Standing extends EpochRecord {
  /** Null for those whom the issuer's rule lets in without a membership. */
  member: { id: string; role: Role } | null;
  /** What the team asks of a request; null where that is nothing. */
  access: AccessRules | null;
}

/**
 * The name under which a token's standing is cached.
 * @param teamId null for the bearer's own choice of none
 */
export function standingName({ membership, person }: VerifiedToken, teamId: string | null): string {
  if (membership === null) return `team:${teamId}`;
  return teamId === null ? `person:${person}` : `person:${person}:${teamId}`;
}

/**
 * Reads what the bearer is in the team, with the team's epoch, in one statement, so that they belong together.
 * @param teamId null for a person who names no team: then it is the one that they are in the longest
 * @returns null where they are nothing
 */
export async function loadStanding(
  db: Database,
  token: VerifiedToken,
  teamId: string | null,
): Promise<Standing | null> {
  if (token.membership !== null) return loadMembership(db, token, teamId);
  if (teamId === null) return null;
  const [team] = await db.select().from(teams).where(eq(teams.id, teamId));
  return team ? toStanding(team, null) : null;
}

/** The condition that finds the memberships of a token's bearer; none for a rule that looks for none. */
export function membershipsOf({ membership, issuer, subject, email }: VerifiedToken): SQL {
  if (membership === null) return sql`false`;
  const byIdentity = and(eq(members.issuer, issuer), eq(members.subject, subject));
  const byEmail =
    membership.byEmail && email !== null
      ? and(isNull(members.issuer), eq(members.email, email))
      : undefined;
  const { teams: among } = membership;
  const own = and(
    or(byIdentity, byEmail),
    among === null ? undefined : inArray(members.teamId, among),
  );
  return own ?? sql`false`;
}

async function loadMembership(
  db: Database,
  token: VerifiedToken,
  teamId: string | null,
): Promise<Standing | null> {
  const [row] = await db
    .select({ member: members, team: teams })
    .from(members)
    .innerJoin(teams, eq(teams.id, members.teamId))
    .where(and(membershipsOf(token), teamId === null ? undefined : eq(members.teamId, teamId)))
    .orderBy(sql`${members.issuer} IS NULL`, members.id) // ids grow with time
    .limit(1);
  return row ? toStanding(row.team, { id: row.member.id, role: row.member.role }) : null;
}

function toStanding(team: typeof teams.$inferSelect, member: Standing["member"]): Standing {
  return { teamId: team.id, member, access: accessRulesOf(team, null), epoch: team.epoch };
}

/** Whoever bears the token in the team of this standing. */
export function principalOfToken(token: VerifiedToken, { teamId, member }: Standing): Principal {
  const { issuer, subject, models, endUser, permissions } = token;
  const ofRole = member === null ? null : permissionsOfRole(member.role);
  const scopes =
    ofRole === null || permissions === null
      ? (permissions ?? ofRole ?? [])
      : commonPermissions(permissions, ofRole);
  return { kind: "token", teamId, issuer, subject, member, scopes, models, endUser };
}
