import { and, eq } from "drizzle-orm";
import { telegramLinks } from "#schema";
import { audit } from "../audit/audit.ts";
import { findLink, type TelegramLink } from "./find-link.ts";
import type { TelegramContext } from "./telegram-context.ts";

/**
 * Lets a chat use another one of the teams that it is linked to.
 * @param input `userId` is who asked for it; null for an anonymous group administrator
 * @returns the team that it uses now, or null when the chat is not linked to that team
 */
export async function chooseTeam(
  ctx: TelegramContext,
  input: { chatId: number; userId: number | null; teamId: string },
): Promise<TelegramLink | null> {
  const { chatId, userId, teamId } = input;
  const chosen = await ctx.transaction(async (inner) => {
    const [after] = await inner.db
      .update(telegramLinks)
      .set({ chosenAt: inner.now() })
      .where(and(eq(telegramLinks.chatId, chatId), eq(telegramLinks.teamId, teamId)))
      .returning();
    if (!after) return false;
    const targetId = String(chatId);
    const user = userId === null ? null : `tg:${userId}`;
    const actor = { kind: "telegram", id: targetId, user } as const;
    const change = { teamId, targetId, actor, after: { chosen_at: after.chosenAt } };
    await audit(inner, { action: "telegram_link.choose", ...change });
    return true;
  });
  if (!chosen) return null;
  ctx.log.info("telegram_team_chosen", { team_id: teamId, chat_id: chatId });
  const link = await findLink(ctx, { chatId });
  return link?.teamId === teamId ? link : null; // another one, where its membership lets nobody ask any more
}
