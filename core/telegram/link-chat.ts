import { and, eq } from "drizzle-orm";
import { telegramLinks, teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TelegramLink } from "./find-link.ts";
import type { TelegramTransaction } from "./telegram-context.ts";

export interface NewLink {
  chatId: number;
  /** The Telegram user who links it; null for an anonymous group administrator. */
  userId: number | null;
  teamId: string;
  /** The membership that the link comes with, and goes with; null where a code makes it. */
  memberId: string | null;
}

/**
 * Links a chat to a team, which it uses from now on; other teams that it is linked to stay to be chosen. Where it is
 * linked to the team already, that team is chosen, and a link of its own stays one that no membership ends.
 */
export async function linkChat(ctx: TelegramTransaction, link: NewLink): Promise<TelegramLink> {
  const { chatId, userId, teamId, memberId } = link;
  const now = ctx.now();
  const mine = and(eq(telegramLinks.chatId, chatId), eq(telegramLinks.teamId, teamId));
  const [before] = await ctx.db.select().from(telegramLinks).where(mine).for("update");
  const kept = {
    memberId: before && before.memberId === null ? null : memberId,
    chosenAt: now,
    blockedAt: null,
  };
  const [after] = await ctx.db
    .insert(telegramLinks)
    .values({ chatId, teamId, linkedBy: userId, linkedAt: now, ...kept })
    .onConflictDoUpdate({ target: [telegramLinks.chatId, telegramLinks.teamId], set: kept })
    .returning();
  if (after && !before) {
    const targetId = String(chatId);
    const user = userId === null ? null : `tg:${userId}`;
    const actor = { kind: "telegram", id: targetId, user } as const;
    await audit(ctx, { action: "telegram_link.create", teamId, targetId, actor, after });
  }
  const [team] = await ctx.db.select({ name: teams.name }).from(teams).where(eq(teams.id, teamId));
  return { teamId, teamName: team?.name ?? teamId };
}
