import { Composer } from "grammy";
import type { BotContext } from "../turn.ts";

/** `/whoami`: the ids that a team's admin may ask for. */
export const whoami = new Composer<BotContext>();

whoami.command("whoami", async ({ turn }) => {
  const { userId, target, settings } = turn.parts;
  const link = await turn.link();
  return turn.answer(
    turn.say.whoami({
      userId: String(userId ?? "–"),
      chatId: String(target.chatId),
      team: link ? `${link.teamName} (${link.teamId})` : turn.say.whoamiNoTeam,
      model: settings.get("model") ?? turn.say.defaultModel,
      language: turn.say.languageName,
    }),
  );
});
