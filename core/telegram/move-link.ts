import { eq } from "drizzle-orm";
import { telegramLinks } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TelegramContext } from "./telegram-context.ts";

/** Follows a group that became a supergroup and got a new chat id. Doing it twice changes nothing. */
export async function moveLink(
  ctx: TelegramContext,
  input: { from: number; to: number },
): Promise<void> {
  const moved = await ctx.transaction(async (inner) => {
    const [before] = await inner.db
      .delete(telegramLinks)
      .where(eq(telegramLinks.chatId, input.from))
      .returning();
    if (!before) return false;
    const after = { ...before, chatId: input.to, blockedAt: null };
    await inner.db.insert(telegramLinks).values(after).onConflictDoNothing();
    const targetId = String(input.from);
    const actor = { kind: "telegram", id: targetId, user: null } as const;
    const change = { teamId: before.teamId, targetId, actor, before, after };
    await audit(inner, { action: "telegram_link.move", ...change });
    return true;
  });
  if (moved) ctx.log.info("telegram_link_moved", { chat_id: input.from, to_chat_id: input.to });
}
