import { eq, sql } from "drizzle-orm";
import { teams } from "#schema";
import type { Context, TransactionContext } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";

/** The epoch of a team that is gone: later than any that a cached record can carry. */
export const EPOCH_OF_DELETED_TEAM = Number.MAX_SAFE_INTEGER;

/**
 * Runs a change after which cached records of the team's keys must not be used, such as a revocation: within a second
 * of the return, no isolate decides on what was true before. The epoch grows in the change's own transaction; should
 * this process die before it has told the Meter, the Meter, warned beforehand, looks the epoch up by itself.
 * @throws AppError `not_found` when there is no such team
 */
export async function changeTeam<T>(
  context: Context,
  teamId: string,
  work: (inner: TransactionContext) => Promise<T>,
): Promise<T> {
  await context.epochs.expectChange(teamId);
  return context.transaction(async (inner) => {
    const result = await work(inner);
    const [team] = await inner.db
      .update(teams)
      .set({ epoch: sql`${teams.epoch} + 1` })
      .where(eq(teams.id, teamId))
      .returning({ epoch: teams.epoch });
    if (!team) throw new AppError("not_found", { message: `There is no team ${teamId}.` });
    await inner.afterCommit(() => raiseEpoch(context, teamId, team.epoch));
    return result;
  });
}

/**
 * Tells the Meter of a change that is committed. A Meter that cannot be told was warned, and looks the epoch up once it
 * is back: the change stands, and so does its answer, which may hold a secret that is shown once.
 */
export async function raiseEpoch(context: Context, teamId: string, epoch: number): Promise<void> {
  await context.epochs.raise(teamId, epoch).catch((error: unknown) => {
    context.log.error("epoch_not_told", { team_id: teamId, error });
  });
}
