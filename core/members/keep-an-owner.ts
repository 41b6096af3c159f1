import { and, eq } from "drizzle-orm";
import { members } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { isOwner, requireOwner } from "../kernel/principal.ts";

const ownersOf = (teamId: string) => and(eq(members.teamId, teamId), eq(members.role, "owner"));

/**
 * Locks a team's owners until the transaction ends, so that no two changes take the last two away at once.
 * @returns their ids
 */
async function lockOwners(inner: Context, teamId: string): Promise<string[]> {
  const owners = await inner.db
    .select({ id: members.id })
    .from(members)
    .where(ownersOf(teamId))
    .orderBy(members.id) // one order, so that two of them do not wait for each other
    .for("update");
  return owners.map((owner) => owner.id);
}

/**
 * Owners are made by owners. While a team has none, as when it is new, whoever manages it names the first.
 * @throws AppError `forbidden`
 */
export async function requireMayAppointOwner(inner: Context, teamId: string): Promise<void> {
  if (isOwner(inner.principal)) return;
  const [owner] = await inner.db
    .select({ id: members.id })
    .from(members)
    .where(ownersOf(teamId))
    .limit(1);
  if (owner) requireOwner(inner.principal);
}

/**
 * Lets owners alone touch an owner, and never the last one.
 * @param loses whether the change makes this member no owner
 * @throws AppError `forbidden`, `conflict`
 */
export async function guardOwner(
  inner: Context,
  { teamId, memberId, loses }: { teamId: string; memberId: string; loses: boolean },
): Promise<void> {
  const owners = await lockOwners(inner, teamId);
  if (!owners.includes(memberId)) return;
  requireOwner(inner.principal);
  if (!loses || owners.length > 1) return;
  throw new AppError("conflict", {
    message: "This is the team's last owner. Make somebody else an owner first.",
  });
}
