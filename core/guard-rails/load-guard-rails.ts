import { eq } from "drizzle-orm";
import { teams } from "#schema";
import type { Database } from "../kernel/context.ts";
import { sha256Hex } from "../kernel/digest.ts";
import { PII_VERSION } from "./pii.ts";
import type { GuardRail } from "./rules.ts";

/** A team's rules as they are stored, with what names them in caches. */
export interface StoredRails {
  rules: GuardRail[];
  digest: string;
}

/** What names rules in caches: SHA-256, in hex, of all that they depend on. Null for no rules. */
export async function digestOf(rules: readonly GuardRail[]): Promise<string | null> {
  return rules.length === 0 ? null : sha256Hex(JSON.stringify([PII_VERSION, rules]));
}

/** The digest of a team's rules; null where it has none. They change under the team's epoch (`changeTeam`). */
export async function loadGuardRailsDigest(db: Database, teamId: string): Promise<string | null> {
  const [row] = await db
    .select({ digest: teams.guardRailsDigest })
    .from(teams)
    .where(eq(teams.id, teamId));
  return row?.digest ?? null;
}

/** A team's rules; null where it has none, or is not there. */
export async function loadGuardRails(db: Database, teamId: string): Promise<StoredRails | null> {
  const [row] = await db
    .select({ rules: teams.guardRails, digest: teams.guardRailsDigest })
    .from(teams)
    .where(eq(teams.id, teamId));
  return row && row.digest !== null ? { rules: storedRules(row.rules), digest: row.digest } : null;
}

/** The rules as their column holds them. */
export function storedRules(column: unknown): GuardRail[] {
  return (column ?? []) as GuardRail[]; // written by setGuardRails only, which checks them
}
