import { and, eq } from "drizzle-orm";
import { apiKeys, members } from "#schema";
import type { Context } from "../../kernel/context.ts";
import type { JobSchedule } from "./job-schedule.ts";

type ReasonContext = Pick<Context, "db" | "now">;

/**
 * Why a schedule may do nothing any more: the key or the person that it acts for is gone. Those whom no row of ours
 * stands for, such as programs with a token, are not looked at.
 * @returns null where all is well
 */
export async function whyStopped(
  context: ReasonContext,
  { createdBy, teamId }: Pick<JobSchedule, "createdBy" | "teamId">,
): Promise<string | null> {
  const [kind, id = ""] = createdBy.split(":", 2);
  if (kind === "key") return whyKeyStopped(context, teamId, id);
  if (kind !== "member") return null;
  const [member] = await context.db
    .select({ role: members.role })
    .from(members)
    .where(and(eq(members.id, id), eq(members.teamId, teamId)));
  if (!member) return "The person whom it acted for has left the team.";
  if (member.role === "viewer") return "The person whom it acted for may make no jobs any more.";
  return null;
}

async function whyKeyStopped(
  { db, now }: ReasonContext,
  teamId: string,
  keyId: string,
): Promise<string | null> {
  const [key] = await db
    .select({
      enabled: apiKeys.enabled,
      revokedAt: apiKeys.revokedAt,
      expiresAt: apiKeys.expiresAt,
    })
    .from(apiKeys)
    .where(and(eq(apiKeys.id, keyId), eq(apiKeys.teamId, teamId)));
  if (!key) return "The key that it acted for was deleted.";
  if (key.revokedAt !== null) return "The key that it acted for was revoked.";
  if (key.expiresAt !== null && key.expiresAt <= now())
    return "The key that it acted for has expired.";
  if (!key.enabled) return "The key that it acted for was switched off.";
  return null;
}
