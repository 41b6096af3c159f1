import { eq } from "drizzle-orm";
import { teams } from "#schema";
import { audit } from "../audit/audit.ts";
import type { TelegramLink } from "./find-link.ts";
import type { TelegramContext } from "./telegram-context.ts";

/** The one team that chats without a link use where GUEST_ACCESS is on. Its id is fixed, so that two first guests make one team. */
export const GUEST_TEAM_ID = `team_${"0".repeat(26)}`;
const GUEST_TEAM_NAME = "Telegram guests";

/** The guest team, made when the first guest comes. */
export async function findGuestTeam(ctx: TelegramContext): Promise<TelegramLink> {
  const teamId = GUEST_TEAM_ID;
  const [there] = await ctx.db.select({ id: teams.id }).from(teams).where(eq(teams.id, teamId));
  if (!there) {
    await ctx.transaction(async (inner) => {
      const [after] = await inner.db
        .insert(teams)
        .values({ id: teamId, name: GUEST_TEAM_NAME })
        .onConflictDoNothing()
        .returning();
      if (after) await audit(inner, { action: "team.create", teamId, targetId: teamId, after });
    });
  }
  return { teamId, teamName: GUEST_TEAM_NAME };
}
