import { teams } from "#schema";
import type { TelegramLink } from "./find-link.ts";
import type { TelegramContext } from "./telegram-context.ts";

/** The one team that chats without a link use where GUEST_ACCESS is on. Its id is fixed, so that two first guests make one team. */
export const GUEST_TEAM_ID = `team_${"0".repeat(26)}`;
const GUEST_TEAM_NAME = "Telegram guests";

/** The guest team, made when the first guest comes. */
export async function findGuestTeam(ctx: TelegramContext): Promise<TelegramLink> {
  await ctx.db
    .insert(teams)
    .values({ id: GUEST_TEAM_ID, name: GUEST_TEAM_NAME })
    .onConflictDoNothing();
  return { teamId: GUEST_TEAM_ID, teamName: GUEST_TEAM_NAME };
}
