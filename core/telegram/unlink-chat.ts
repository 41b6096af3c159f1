import { eq } from "drizzle-orm";
import { telegramLinks } from "#schema";
import type { TelegramContext } from "./telegram-context.ts";

/** Takes a chat from its team. @returns whether it was linked */
export async function unlinkChat(
  ctx: TelegramContext,
  input: { chatId: number },
): Promise<boolean> {
  const removed = await ctx.db
    .delete(telegramLinks)
    .where(eq(telegramLinks.chatId, input.chatId))
    .returning({ teamId: telegramLinks.teamId });
  for (const { teamId } of removed)
    ctx.log.info("telegram_chat_unlinked", { team_id: teamId, chat_id: input.chatId });
  return removed.length > 0;
}
