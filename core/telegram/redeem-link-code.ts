import { and, eq, gt, isNull, or } from "drizzle-orm";
import { telegramLinkCodes, telegramLinks, teams } from "#schema";
import { hashLinkCode, isLinkCode } from "./link-code.ts";
import type { TelegramContext } from "./telegram-context.ts";

export interface RedeemLinkCodeInput {
  code: string;
  chatId: number;
  /** The Telegram user who sent the code; null for an anonymous group administrator. */
  userId: number | null;
}

/**
 * Links a chat to the team that made the code. A code serves one chat: another chat gets nothing, the same one gets the
 * same answer again, so that an update that is worked on twice does no harm.
 * @returns the team, or null when the code is unknown, over its time, or another chat's
 */
export async function redeemLinkCode(
  ctx: TelegramContext,
  input: RedeemLinkCodeInput,
): Promise<{ teamId: string; teamName: string } | null> {
  if (!isLinkCode(input.code)) return null;
  const now = ctx.now();
  const codes = telegramLinkCodes;
  const [taken] = await ctx.db
    .update(codes)
    .set({ usedAt: now, usedByChat: input.chatId })
    .where(
      and(
        eq(codes.codeHash, await hashLinkCode(input.code)),
        gt(codes.expiresAt, now),
        or(isNull(codes.usedAt), eq(codes.usedByChat, input.chatId)),
      ),
    )
    .returning({ teamId: codes.teamId });
  if (!taken) return null;
  const link = { teamId: taken.teamId, linkedBy: input.userId, linkedAt: now, blockedAt: null };
  await ctx.db
    .insert(telegramLinks)
    .values({ chatId: input.chatId, ...link })
    .onConflictDoUpdate({ target: telegramLinks.chatId, set: link });
  const [team] = await ctx.db
    .select({ name: teams.name })
    .from(teams)
    .where(eq(teams.id, taken.teamId));
  ctx.log.info("telegram_chat_linked", { team_id: taken.teamId, chat_id: input.chatId });
  return { teamId: taken.teamId, teamName: team?.name ?? taken.teamId };
}
