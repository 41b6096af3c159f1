import { invitations } from "#schema";
import type { Role } from "../kernel/permissions.ts";
import { TELEGRAM_ISSUER } from "../members/person.ts";
import type { TelegramLink } from "../telegram/find-link.ts";
import { linkChat } from "../telegram/link-chat.ts";
import type { TelegramContext } from "../telegram/telegram-context.ts";
import { admitPerson } from "./admit-person.ts";
import { byToken, isInvitationToken, unknownToken } from "./invitation.ts";

export interface ChatAcceptance {
  token: string;
  /** The person's private chat with the bot, which gets the team. */
  chatId: number;
  userId: number;
  /** What the person is called in Telegram. */
  name: string | null;
}

/** The team that was joined, and whether the chat uses it now: a viewer's does not, since viewers ask no models. */
export interface JoinedTeam extends TelegramLink {
  role: Role;
  linked: boolean;
}

/**
 * Joins the team of an invitation as a Telegram user, whose private chat uses that team from now on. Cached records of
 * tokens and keys know nothing of Telegram users, so no epoch has to grow.
 * @throws AppError `not_found` for a secret that is none, and what admitPerson throws
 */
export async function acceptInChat(
  ctx: TelegramContext,
  { token, chatId, userId, name }: ChatAcceptance,
): Promise<JoinedTeam> {
  if (!isInvitationToken(token)) throw unknownToken();
  const invitation = await byToken(token);
  const joined = await ctx.transaction(async (inner) => {
    const [found] = await inner.db
      .select({ teamId: invitations.teamId })
      .from(invitations)
      .where(invitation);
    if (!found) throw unknownToken();
    const { teamId } = found;
    const person = { issuer: TELEGRAM_ISSUER, subject: String(userId), email: null, name };
    const actor = { kind: "telegram", id: String(chatId), user: `tg:${userId}` } as const;
    const { member, teamName } = await admitPerson(inner, { invitation, teamId, person, actor });
    const { id: memberId, role } = member;
    const linked = role !== "viewer";
    if (linked) await linkChat(inner, { chatId, userId, teamId, memberId });
    return { teamId, teamName, role, linked };
  });
  ctx.log.info("invitation_accepted", { team_id: joined.teamId, chat_id: chatId });
  return joined;
}
