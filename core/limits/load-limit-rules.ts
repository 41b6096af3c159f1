import { eq } from "drizzle-orm";
import { limits } from "#schema";
import type { Database } from "../kernel/context.ts";
import type { LimitRule } from "../meter/limit-rule.ts";
import { toLimitRule } from "./limit.ts";

/**
 * All limits of a team and of its keys, ordered by id. They change under the team's epoch (`changeTeam`), so whoever
 * keeps them reads them again when the epoch has grown.
 */
export async function loadLimitRules(db: Database, teamId: string): Promise<LimitRule[]> {
  const rows = await db.select().from(limits).where(eq(limits.teamId, teamId)).orderBy(limits.id);
  return rows.map(toLimitRule);
}
