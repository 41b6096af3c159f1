import { eq } from "drizzle-orm";
import { telegramLinks } from "#schema";
import type { TelegramContext } from "./telegram-context.ts";

/** Notes that the bot was blocked in a chat or removed from it, or that it is back. The link itself stays. */
export async function setChatBlocked(
  ctx: TelegramContext,
  input: { chatId: number; blocked: boolean },
): Promise<void> {
  await ctx.db
    .update(telegramLinks)
    .set({ blockedAt: input.blocked ? ctx.now() : null })
    .where(eq(telegramLinks.chatId, input.chatId));
}
