import { and, eq, isNull } from "drizzle-orm";
import { telegramLinks } from "#schema";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { requireTeam } from "../kernel/principal.ts";

/**
 * Makes sure that a chat may be written to for the principal's team: it is linked to it, and the bot is not blocked.
 * @throws AppError `not_found`, also of a chat that another team has
 */
export async function requireTeamChat(
  context: Pick<Context, "db" | "principal">,
  chatId: number,
): Promise<void> {
  const [link] = await context.db
    .select({ chatId: telegramLinks.chatId })
    .from(telegramLinks)
    .where(
      and(
        eq(telegramLinks.chatId, chatId),
        eq(telegramLinks.teamId, requireTeam(context.principal)),
        isNull(telegramLinks.blockedAt),
      ),
    );
  if (link) return;
  throw new AppError("not_found", {
    message: "There is no such Telegram chat that this team can write to.",
  });
}
