import { and, asc, eq, gt, or } from "drizzle-orm";
import { telegramLinks } from "#schema";
import { decodeCursor, type Page, type PageRequest, toPage } from "../kernel/page.ts";
import { requireScope, teamScope } from "../kernel/principal.ts";
import type { TelegramContext } from "./telegram-context.ts";

/** A linked chat as the API shows it. */
export type LinkedChat = typeof telegramLinks.$inferSelect;

/**
 * The Telegram chats of the principal's team, or of all teams, by rising id.
 * @throws AppError `missing_scope` without the scope `admin`
 */
export async function listLinks(
  context: TelegramContext,
  page: PageRequest,
): Promise<Page<LinkedChat>> {
  requireScope(context.principal, "admin");
  const teamId = teamScope(context.principal);
  const [chatId, afterTeam] = page.cursor === undefined ? [] : decodeCursor(page.cursor, 2);
  const after = Number(chatId);
  const rows = await context.db
    .select()
    .from(telegramLinks)
    .where(
      and(
        teamId === null ? undefined : eq(telegramLinks.teamId, teamId),
        Number.isSafeInteger(after)
          ? or(
              gt(telegramLinks.chatId, after),
              and(eq(telegramLinks.chatId, after), gt(telegramLinks.teamId, String(afterTeam))),
            )
          : undefined,
      ),
    )
    .orderBy(asc(telegramLinks.chatId), asc(telegramLinks.teamId))
    .limit(page.limit + 1);
  return toPage(
    rows,
    page.limit,
    (link) => link,
    (link) => [link.chatId, link.teamId],
  );
}
