import { and, desc, eq, gt, isNull, or } from "drizzle-orm";
import { callbackSecrets } from "#schema";
import type { Context } from "../../kernel/context.ts";

/** A secret without what it says. */
export interface CallbackSecret {
  id: string;
  /** Null for the one that holds. */
  endsAt: Date | null;
  createdBy: string;
  createdAt: Date;
}

type SecretRow = typeof callbackSecrets.$inferSelect;

/** What a sealed secret is bound to: it opens for its own team only. */
export const secretPurpose = (teamId: string) => `callback-secret:${teamId}`;

/** The secrets of a team that sign now: the one that holds first, then the one before during its grace. */
export function readSecrets(
  { db, now }: Pick<Context, "db" | "now">,
  teamId: string,
): Promise<SecretRow[]> {
  return db
    .select()
    .from(callbackSecrets)
    .where(
      and(
        eq(callbackSecrets.teamId, teamId),
        or(isNull(callbackSecrets.endsAt), gt(callbackSecrets.endsAt, now())),
      ),
    )
    .orderBy(desc(callbackSecrets.id));
}
