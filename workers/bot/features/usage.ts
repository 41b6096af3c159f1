import { Composer } from "grammy";
import type { BotContext } from "../turn.ts";
import { problemText } from "../views/problem.ts";

/** `/usage`: what this user has used since the first of the month, UTC. */
export const usage = new Composer<BotContext>();

usage.command("usage", async ({ turn }) => {
  const link = await turn.link();
  if (!link) return turn.answerNotLinked();
  const { language, row } = turn.parts;
  const now = new Date();
  const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
  try {
    const sums = await turn.switchyard(link).usageSince(from);
    if (!sums) return await turn.answer(turn.say.usage.nothing);
    const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
    const count = new Intl.NumberFormat(language);
    const cost = new Intl.NumberFormat(language, {
      minimumFractionDigits: 2,
      maximumFractionDigits: 6,
    });
    const line = turn.say.usage.line({
      requests: count.format(sums.requests),
      inputTokens: count.format(sums.inputTokens),
      outputTokens: count.format(sums.outputTokens),
      cost: cost.format(Number(sums.cost)),
    });
    return await turn.answer(
      `${turn.say.usage.title({ from: day.format(from), to: day.format(now) })}\n${line}`,
    );
  } catch (error) {
    return turn.answer(problemText(turn.say, error, row.requestId));
  }
});
