import { and, eq, gt, isNull, or } from "drizzle-orm";
import { telegramLinkCodes, telegramLinks, teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TelegramLink } from "./find-link.ts";
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
  const link = await ctx.transaction((inner) => linkChat(inner, codeHash, input));
  if (link) ctx.log.info("telegram_chat_linked", { team_id: link.teamId, chat_id: input.chatId });
  return link;
}

async function linkChat(
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
  const mine = eq(telegramLinks.chatId, chatId);
  const [before] = await ctx.db.select().from(telegramLinks).where(mine).for("update");
  const link = { teamId: taken.teamId, linkedBy: userId, linkedAt: now, blockedAt: null };
  const [after] = await ctx.db
    .insert(telegramLinks)
    .values({ chatId, ...link })
    .onConflictDoUpdate({ target: telegramLinks.chatId, set: link })
    .returning();
  await auditLink(ctx, { chatId, userId, before: before ?? null, after: after ?? null });
  const [team] = await ctx.db
    .select({ name: teams.name })
    .from(teams)
    .where(eq(teams.id, taken.teamId));
  return { teamId: taken.teamId, teamName: team?.name ?? taken.teamId };
}

type LinkRow = typeof telegramLinks.$inferSelect;

/** A chat that goes from one team to another stands in the logs of both. */
async function auditLink(
  ctx: TelegramTransaction,
  change: { chatId: number; userId: number | null; before: LinkRow | null; after: LinkRow | null },
): Promise<void> {
  const { chatId, userId, before, after } = change;
  if (!after || before?.teamId === after.teamId) return; // the same update, worked on twice
  const targetId = String(chatId);
  const user = userId === null ? null : `tg:${userId}`;
  const entry = { targetId, actor: { kind: "telegram", id: targetId, user } } as const;
  if (before)
    await audit(ctx, { action: "telegram_link.delete", teamId: before.teamId, before, ...entry });
  await audit(ctx, { action: "telegram_link.create", teamId: after.teamId, after, ...entry });
}
