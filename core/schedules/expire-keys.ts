import { and, inArray, isNotNull, lt, lte, or, type SQL } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import { apiKeys, idempotencyKeys, invitations, telegramLinkCodes } from "#schema";
import type { Schedule, ScheduleContext } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * Days that an expired or revoked key stays in lists and tells why it is refused. After that its row goes; usage keeps
 * the key's id. Invitations likewise.
 */
export const ENDED_KEY_DAYS = 90;
/** Rows that one statement deletes. */
const ROWS_PER_CHUNK = 1_000;

/** Removes what has expired: keys that ended long ago, hashes of keys that were rotated away, link codes, invitations, kept answers. */
export const expireKeys: Schedule = {
  name: "expire_keys",
  description: `Removes keys and invitations that expired or were revoked ${ENDED_KEY_DAYS} days ago, expired link codes, and answers kept for Idempotency-Key.`,
  cadence: { cron: "37 4 * * *", clock: "local" },
  missed: "catch_up",
  leaseSeconds: 600,
  retries: 1,
  async run(context) {
    const now = context.now();
    const longAgo = new Date(now.getTime() - ENDED_KEY_DAYS * DAY_MS);
    // These keys are refused already, so no cached record has to go: nothing changes for whoever holds one.
    const keys = await deleteAll(context, {
      table: apiKeys,
      id: apiKeys.id,
      where: or(lt(apiKeys.expiresAt, longAgo), lt(apiKeys.revokedAt, longAgo)),
    });
    const rotated = await context.db
      .update(apiKeys)
      .set({ previousHash: null, previousExpiresAt: null })
      .where(and(isNotNull(apiKeys.previousHash), lte(apiKeys.previousExpiresAt, now)))
      .returning({ id: apiKeys.id });
    const linkCodes = await deleteAll(context, {
      table: telegramLinkCodes,
      id: telegramLinkCodes.codeHash,
      where: lte(telegramLinkCodes.expiresAt, now),
    });
    const ended = await deleteAll(context, {
      table: invitations,
      id: invitations.id,
      where: or(lt(invitations.expiresAt, longAgo), lt(invitations.revokedAt, longAgo)),
    });
    const answers = await context.db
      .delete(idempotencyKeys)
      .where(lt(idempotencyKeys.createdAt, new Date(now.getTime() - DAY_MS)))
      .returning({ status: idempotencyKeys.status });
    return {
      keys_deleted: keys,
      rotated_keys_forgotten: rotated.length,
      link_codes_deleted: linkCodes,
      invitations_deleted: ended,
      kept_answers_deleted: answers.length,
    };
  },
};

interface Deletion {
  table: PgTable;
  id: PgColumn;
  where: SQL | undefined;
}

/** Deletes in chunks, until nothing is left or the time is up. */
async function deleteAll(context: ScheduleContext, deletion: Deletion): Promise<number> {
  let total = 0;
  while (context.now() < context.deadline) {
    const chunk = context.db
      .select({ id: deletion.id })
      .from(deletion.table)
      .where(deletion.where)
      .limit(ROWS_PER_CHUNK);
    const deleted = await context.db
      .delete(deletion.table)
      .where(inArray(deletion.id, chunk))
      .returning({ id: deletion.id });
    total += deleted.length;
    if (deleted.length < ROWS_PER_CHUNK) break;
  }
  return total;
}
