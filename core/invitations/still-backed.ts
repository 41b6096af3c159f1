import { and, eq } from "drizzle-orm";
import { apiKeys, members } from "#schema";
import type { Database } from "../kernel/context.ts";
import { isAtLeast } from "../members/role-rank.ts";
import type { InvitationRow } from "./invitation.ts";

/**
 * Whether who made an invitation may still invite to its role, so that an admin who was removed does not come back by a
 * link of their own, and a key that was revoked leaves no door open. Super admins, and programs that an issuer's rule
 * lets in, have no row here that could tell, and count as those who may.
 */
export async function isStillBacked(db: Database, invitation: InvitationRow): Promise<boolean> {
  const { createdBy, teamId, role } = invitation;
  const [kind, id = ""] = createdBy.split(":");
  if (kind === "member") {
    const own = and(eq(members.id, id), eq(members.teamId, teamId));
    const [maker] = await db.select({ role: members.role }).from(members).where(own);
    return maker !== undefined && isAtLeast(maker.role, "admin") && isAtLeast(maker.role, role);
  }
  if (kind !== "key") return true;
  const own = and(eq(apiKeys.id, id), eq(apiKeys.teamId, teamId));
  const [key] = await db
    .select({ enabled: apiKeys.enabled, revokedAt: apiKeys.revokedAt, scopes: apiKeys.scopes })
    .from(apiKeys)
    .where(own);
  return key !== undefined && key.enabled && key.revokedAt === null && key.scopes.includes("admin");
}
