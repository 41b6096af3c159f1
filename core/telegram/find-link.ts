import { eq } from "drizzle-orm";
import { telegramLinks, teams } from "#schema";
import type { TelegramContext } from "./telegram-context.ts";

export interface TelegramLink {
  teamId: string;
  teamName: string;
}

/** The team that a chat is linked to, or null. */
export async function findLink(
  ctx: TelegramContext,
  input: { chatId: number },
): Promise<TelegramLink | null> {
  const [link] = await ctx.db
    .select({ teamId: telegramLinks.teamId, teamName: teams.name })
    .from(telegramLinks)
    .innerJoin(teams, eq(teams.id, telegramLinks.teamId))
    .where(eq(telegramLinks.chatId, input.chatId));
  return link ?? null;
}
