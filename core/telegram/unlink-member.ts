import { eq } from "drizzle-orm";
import { telegramLinks } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TransactionContext } from "../kernel/context.ts";

/** Takes a team from the chats that have it by a membership, such as when that becomes somebody else's. */
export async function unlinkMember(inner: TransactionContext, memberId: string): Promise<void> {
  const links = await inner.db
    .delete(telegramLinks)
    .where(eq(telegramLinks.memberId, memberId))
    .returning();
  for (const before of links) {
    const link = { teamId: before.teamId, targetId: String(before.chatId), before };
    await audit(inner, { action: "telegram_link.delete", ...link });
  }
}
