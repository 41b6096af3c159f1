import { eq } from "drizzle-orm";
import { telegramLinks } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TelegramContext } from "./telegram-context.ts";

/**
 * Follows a group that became a supergroup and got a new chat id. What is linked there already stays; doing it twice
 * changes nothing.
 */
export async function moveLink(
  ctx: TelegramContext,
  input: { from: number; to: number },
): Promise<void> {
  const moved = await ctx.transaction(async (inner) => {
    const old = await inner.db
      .delete(telegramLinks)
      .where(eq(telegramLinks.chatId, input.from))
      .returning();
    const there = await inner.db
      .select({ teamId: telegramLinks.teamId })
      .from(telegramLinks)
      .where(eq(telegramLinks.chatId, input.to))
      .for("update");
    for (const before of old) {
      const after = { ...before, chatId: input.to, blockedAt: null };
      if (there.length === 0) await inner.db.insert(telegramLinks).values(after);
      const targetId = String(input.from);
      const actor = { kind: "telegram", id: targetId, user: null } as const;
      const change = { teamId: before.teamId, targetId, actor, before, after };
      await audit(inner, { action: "telegram_link.move", ...change });
    }
    return old.length > 0;
  });
  if (moved) ctx.log.info("telegram_link_moved", { chat_id: input.from, to_chat_id: input.to });
}
