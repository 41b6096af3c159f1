import { and, eq, inArray, isNull } from "drizzle-orm";
import { limits } from "#schema";
import type { Database } from "../kernel/context.ts";
import type { LimitOwner, LimitRow } from "./limit.ts";

/** The limits of a team or of a key, in the order in which they were set; prepaid credits are not among them. */
export async function readLimits(db: Database, owner: LimitOwner): Promise<LimitRow[]> {
  const { teamId, keyId } = owner;
  return db
    .select()
    .from(limits)
    .where(
      and(
        eq(limits.teamId, teamId),
        keyId === null ? isNull(limits.keyId) : eq(limits.keyId, keyId),
        eq(limits.prepaid, false),
      ),
    )
    .orderBy(limits.id);
}

/** Puts the teams' own limits beside the teams of a list. */
export async function withTeamLimits<Team extends { id: string }>(
  db: Database,
  teams: Team[],
): Promise<(Team & { limits: LimitRow[] })[]> {
  if (teams.length === 0) return [];
  const ids = teams.map((team) => team.id);
  const rows = await db
    .select()
    .from(limits)
    .where(and(inArray(limits.teamId, ids), isNull(limits.keyId), eq(limits.prepaid, false)))
    .orderBy(limits.id);
  return teams.map((team) => ({ ...team, limits: rows.filter((row) => row.teamId === team.id) }));
}

/** Puts the keys' limits beside the keys of a list. */
export async function withKeyLimits<Key extends { id: string }>(
  db: Database,
  keys: Key[],
): Promise<(Key & { limits: LimitRow[] })[]> {
  if (keys.length === 0) return [];
  const ids = keys.map((key) => key.id);
  const rows = await db.select().from(limits).where(inArray(limits.keyId, ids)).orderBy(limits.id);
  const byKey = Map.groupBy(rows, (row) => row.keyId);
  return keys.map((key) => ({ ...key, limits: byKey.get(key.id) ?? [] }));
}
