import { and, desc, eq, isNull, ne, or } from "drizzle-orm";
import { members, telegramLinks, teams } from "#schema";
import type { Role } from "../kernel/permissions.ts";
import type { TelegramContext } from "./telegram-context.ts";

export interface TelegramLink {
  teamId: string;
  teamName: string;
}

/** One of the teams that a chat is linked to. */
export interface ChatTeam extends TelegramLink {
  /** Of the membership that the link came with; null where a code of the team has made it. */
  role: Role | null;
}

/** The team that a chat uses: of those that it is linked to, the one that was chosen last. Null for a chat without any. */
export async function findLink(
  ctx: TelegramContext,
  input: { chatId: number },
): Promise<ChatTeam | null> {
  const [link] = await listChatTeams(ctx, input, 1);
  return link ?? null;
}

/** The team of a chat whose membership there has come to be a viewer's, which asks for nothing; null where there is none. */
export async function findWatchedTeam(
  ctx: TelegramContext,
  input: { chatId: number },
): Promise<TelegramLink | null> {
  const [watched] = await ctx.db
    .select({ teamId: telegramLinks.teamId, teamName: teams.name })
    .from(telegramLinks)
    .innerJoin(teams, eq(teams.id, telegramLinks.teamId))
    .innerJoin(members, eq(members.id, telegramLinks.memberId))
    .where(and(eq(telegramLinks.chatId, input.chatId), eq(members.role, "viewer")))
    .limit(1);
  return watched ?? null;
}

/** The teams that one chat can choose from at most. */
export const MOST_TEAMS = 50;

/**
 * The teams that a chat is linked to, the one that it uses first. A link that came with a membership counts while that
 * role may ask models, which a viewer may not.
 */
export async function listChatTeams(
  ctx: TelegramContext,
  input: { chatId: number },
  most: number = MOST_TEAMS,
): Promise<ChatTeam[]> {
  return ctx.db
    .select({ teamId: telegramLinks.teamId, teamName: teams.name, role: members.role })
    .from(telegramLinks)
    .innerJoin(teams, eq(teams.id, telegramLinks.teamId))
    .leftJoin(members, eq(members.id, telegramLinks.memberId))
    .where(
      and(
        eq(telegramLinks.chatId, input.chatId),
        or(isNull(telegramLinks.memberId), ne(members.role, "viewer")),
      ),
    )
    .orderBy(desc(telegramLinks.chosenAt), desc(telegramLinks.linkedAt), telegramLinks.teamId)
    .limit(most);
}
