import { eq, sql } from "drizzle-orm";
import { telegramLinks } from "#schema";
import type { TelegramContext } from "./telegram-context.ts";

/** Follows a group that became a supergroup and got a new chat id. Doing it twice changes nothing. */
export async function moveLink(
  ctx: TelegramContext,
  input: { from: number; to: number },
): Promise<void> {
  const moved = ctx.db
    .$with("moved")
    .as(ctx.db.delete(telegramLinks).where(eq(telegramLinks.chatId, input.from)).returning());
  await ctx.db
    .with(moved)
    .insert(telegramLinks)
    .select((query) =>
      query
        .select({
          chatId: sql<number>`${input.to}::bigint`.as("chat_id"),
          teamId: moved.teamId,
          linkedBy: moved.linkedBy,
          linkedAt: moved.linkedAt,
          blockedAt: sql<Date | null>`null::timestamptz`.as("blocked_at"),
        })
        .from(moved),
    )
    .onConflictDoNothing();
  ctx.log.info("telegram_link_moved", { chat_id: input.from, to_chat_id: input.to });
}
