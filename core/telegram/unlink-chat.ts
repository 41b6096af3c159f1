import { and, eq } from "drizzle-orm";
import { telegramLinks } from "#schema";
import { audit } from "../audit/audit.ts";
import { AppError } from "../kernel/errors.ts";
import { requireScope, teamScope } from "../kernel/principal.ts";
import type { TelegramContext } from "./telegram-context.ts";

/**
 * Takes a chat from the principal's team, or from all where a super admin names none. The bot notices within a minute;
 * a chat with other teams goes on with the one that it chose last.
 * @throws AppError `missing_scope` without the scope `admin`, `not_found` where the team has no such chat
 */
export async function unlinkChat(ctx: TelegramContext, input: { chatId: number }): Promise<void> {
  requireScope(ctx.principal, "admin");
  const teamId = teamScope(ctx.principal);
  const removed = await ctx.transaction(async (inner) => {
    const links = await inner.db
      .delete(telegramLinks)
      .where(
        and(
          eq(telegramLinks.chatId, input.chatId),
          teamId === null ? undefined : eq(telegramLinks.teamId, teamId),
        ),
      )
      .returning();
    if (links.length === 0)
      throw new AppError("not_found", { message: "There is no such linked chat." });
    for (const before of links) {
      const link = { teamId: before.teamId, targetId: String(before.chatId), before };
      await audit(inner, { action: "telegram_link.delete", ...link });
    }
    return links;
  });
  for (const link of removed)
    ctx.log.info("telegram_chat_unlinked", { team_id: link.teamId, chat_id: input.chatId });
}
