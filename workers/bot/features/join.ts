import { acceptInChat, type JoinedTeam } from "#core/invitations/accept-in-chat.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { BotContext, Turn } from "../turn.ts";

/** `/start inv_…`: joins the team of an invitation. In a private chat only: in a group everybody can read the secret. */
export async function join(ctx: BotContext, token: string): Promise<void> {
  const { turn } = ctx;
  const { target, userId, deps, row, isGroup } = turn.parts;
  if (isGroup || userId === null) return turn.answer(turn.say.invitation.privateOnly);
  const before = await turn.link();
  let joined: JoinedTeam;
  try {
    joined = await acceptInChat(deps.context(row.requestId), {
      token,
      chatId: target.chatId,
      userId,
      name: nameOf(ctx),
    });
  } catch (error) {
    return turn.answer(refusal(turn, error));
  }
  const { linked, role, ...link } = joined;
  const team = { team: link.teamName };
  if (!linked) return turn.answer(turn.say.invitation.viewer(team));
  turn.useTeam(link, before?.teamId ?? null);
  return turn.answer(turn.say.invitation.joined(team));
}

/** @throws what is no refusal of an invitation */
function refusal({ say }: Turn, error: unknown): string {
  if (error instanceof AppError) {
    if (error.code === "not_found") return say.invitation.unknown;
    if (error.code === "forbidden") return say.invitation.personal;
    if (error.code === "invitation_ended") return say.errors.invitation_ended;
  }
  throw error;
}

function nameOf({ from }: BotContext): string | null {
  const name = [from?.first_name, from?.last_name].filter((part) => part).join(" ");
  return name.trim() || null;
}
