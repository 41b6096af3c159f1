import { sql } from "drizzle-orm";
import { telegramLinks } from "#schema";
import type { TelegramContext } from "./telegram-context.ts";

export interface LinkCounts {
  linked: number;
  /** Of these, where the bot was blocked or removed. */
  blocked: number;
  groups: number;
  teams: number;
}

/** How many chats are linked; for the bot's admins. Group ids are negative. */
export async function countLinks(ctx: TelegramContext): Promise<LinkCounts> {
  const [counts] = await ctx.db
    .select({
      linked: sql<number>`count(distinct ${telegramLinks.chatId})::int`,
      blocked: sql<number>`(count(distinct ${telegramLinks.chatId}) filter (where ${telegramLinks.blockedAt} is not null))::int`,
      groups: sql<number>`(count(distinct ${telegramLinks.chatId}) filter (where ${telegramLinks.chatId} < 0))::int`,
      teams: sql<number>`count(distinct ${telegramLinks.teamId})::int`,
    })
    .from(telegramLinks);
  return counts ?? { linked: 0, blocked: 0, groups: 0, teams: 0 };
}
