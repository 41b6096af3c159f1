import { and, eq, gt, isNull, or } from "drizzle-orm";
import { telegramLinkCodes } from "#schema";
import type { TelegramLink } from "./find-link.ts";
import { linkChat } from "./link-chat.ts";
import { hashLinkCode, isLinkCode } from "./link-code.ts";
import type { TelegramContext, TelegramTransaction } from "./telegram-context.ts";

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
): Promise<TelegramLink | null> {
  if (!isLinkCode(input.code)) return null;
  const codeHash = await hashLinkCode(input.code);
  const link = await ctx.transaction((inner) => redeem(inner, codeHash, input));
  if (link) ctx.log.info("telegram_chat_linked", { team_id: link.teamId, chat_id: input.chatId });
  return link;
}

async function redeem(
  ctx: TelegramTransaction,
  codeHash: string,
  { chatId, userId }: RedeemLinkCodeInput,
): Promise<TelegramLink | null> {
  const now = ctx.now();
  const codes = telegramLinkCodes;
  const [taken] = await ctx.db
    .update(codes)
    .set({ usedAt: now, usedByChat: chatId })
    .where(
      and(
        eq(codes.codeHash, codeHash),
        gt(codes.expiresAt, now),
        or(isNull(codes.usedAt), eq(codes.usedByChat, chatId)),
      ),
    )
    .returning({ teamId: codes.teamId });
  if (!taken) return null;
  return linkChat(ctx, { chatId, userId, teamId: taken.teamId, memberId: null });
}
