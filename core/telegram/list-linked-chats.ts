import { and, asc, gt, isNull } from "drizzle-orm";
import { telegramLinks } from "#schema";
import type { TelegramContext } from "./telegram-context.ts";

/**
 * The chats that can be written to, by rising id.
 * @param input `after` is the last chat of the page before, null at the start
 */
export async function listLinkedChats(
  ctx: TelegramContext,
  input: { after: number | null; limit: number },
): Promise<number[]> {
  const rows = await ctx.db
    .selectDistinct({ chatId: telegramLinks.chatId })
    .from(telegramLinks)
    .where(
      and(
        isNull(telegramLinks.blockedAt),
        input.after === null ? undefined : gt(telegramLinks.chatId, input.after),
      ),
    )
    .orderBy(asc(telegramLinks.chatId))
    .limit(input.limit);
  return rows.map((row) => row.chatId);
}
