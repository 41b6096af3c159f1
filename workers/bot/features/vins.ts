import { Composer } from "grammy";
import { vinTable } from "#core/skills/vin/vin-table.ts";
import { findVins } from "#core/vin/find-vins.ts";
import { MOST_VINS } from "#core/vin/read-vins.ts";
import { commandOf, withoutMention } from "../telegram/addressing.ts";
import { answerMessages } from "../text/answer-messages.ts";
import { markdownToEntities } from "../text/markdown-to-entities.ts";
import type { BotContext, LinkOfChat, Turn } from "../turn.ts";
import { BUTTON, vinKeyboard } from "../views/keyboards.ts";
import { problemText } from "../views/problem.ts";

/**
 * A message that is nothing but VINs gets what they say: one a card, several a table. A sentence with a VIN in it goes to
 * the model, which has the skill as a tool.
 */
export const vins = new Composer<BotContext>();

vins.on("message:text", async (ctx, next) => {
  const { turn, message } = ctx;
  const found = commandOf(message) ? null : findVins(withoutMention(message, turn.parts.bot));
  if (found === null) return next();
  const link = await turn.link();
  if (!link) return turn.answerNotLinked();
  return answerWithVins(turn, link, found);
});

/** The answer is kept before it is sent, so that a crash in between changes nothing of it. */
async function answerWithVins(
  turn: Turn,
  link: LinkOfChat,
  found: readonly string[],
): Promise<void> {
  const { row, inbox, reply } = turn.parts;
  const answer = row.answer ?? JSON.stringify(await read(turn, link, found));
  inbox.saveAnswer(row.updateId, answer);
  const { markdown, corrections } = JSON.parse(answer) as Shown; // written by the line above
  await reply.finish(
    answerMessages(markdown, turn.say.chat.inFile),
    corrections.length === 0 ? undefined : vinKeyboard(corrections),
  );
}

interface Shown {
  markdown: string;
  /** For a button each; of several VINs none, since the table names them. */
  corrections: readonly string[];
}

async function read(turn: Turn, link: LinkOfChat, found: readonly string[]): Promise<Shown> {
  try {
    const switchyard = turn.switchyard(link);
    const results = [];
    for (let at = 0; at < found.length; at += MOST_VINS)
      results.push(...(await switchyard.readVins(found.slice(at, at + MOST_VINS))));
    const [only, ...others] = results;
    const corrections = only && !only.valid && others.length === 0 ? only.corrections : [];
    return { markdown: vinTable(results, turn.parts.language), corrections };
  } catch (error) {
    return { markdown: problemText(turn.say, error, turn.parts.row.requestId), corrections: [] };
  }
}

/** A correction that was tapped takes the place of the question. */
vins.callbackQuery(new RegExp(`^${BUTTON.vin}:([0-9A-HJ-NPR-Z]{17})$`), async (ctx) => {
  const { turn, callbackQuery } = ctx;
  const { sender, target } = turn.parts;
  const link = await turn.link();
  const messageId = callbackQuery.message?.message_id;
  if (!link || messageId === undefined) return sender.answerCallback(callbackQuery.id);
  const { markdown } = await read(turn, link, [ctx.match[1] ?? ""]);
  await sender.answerCallback(callbackQuery.id);
  await sender.edit(target.chatId, messageId, markdownToEntities(markdown));
});
