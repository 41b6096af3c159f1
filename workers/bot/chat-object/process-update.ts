import { Context, type Api } from "grammy";
import type { Update, UserFromGetMe } from "grammy/types";
import { newId } from "#core/kernel/ids.ts";
import { features } from "../features/index.ts";
import { languageOf, messagesIn } from "../locales/index.ts";
import { Turn, type TurnParts } from "../turn.ts";
import type { BotContext } from "../turn.ts";
import type { BotIdentity } from "../telegram/addressing.ts";
import type { InboxRow } from "./inbox.ts";
import { Reply } from "./reply.ts";
import type { Target } from "./sender.ts";

export type ChatParts = Pick<
  TurnParts,
  | "deps"
  | "telegram"
  | "inbox"
  | "settings"
  | "pace"
  | "sender"
  | "stopAnswer"
  | "moveTo"
  | "setBlocked"
> & { chatId: number };

/** What an update says about who sent it and where its answer goes, read from whichever kind it is. */
interface Envelope {
  userId: number | null;
  languageCode: string | null;
  isGroup: boolean;
  target: Target;
}

const run = features.middleware();

/** Answers one update. @throws TelegramRefusal, and whatever a feature did not expect */
export async function processUpdate(
  chat: ChatParts,
  row: InboxRow,
  bot: BotIdentity,
  stopSignal: AbortSignal,
): Promise<void> {
  const update = JSON.parse(row.body) as Update; // its shape is Telegram's promise; what breaks it ends as a poison update
  const turn = new Turn(turnParts(chat, row, bot, stopSignal));
  const context = Object.assign(new Context(update, chat.telegram, meOf(bot)), {
    turn,
  }) satisfies BotContext;
  await run(context, async () => undefined);
}

/** Tells the user once that this update cannot be answered. */
export async function apologize(chat: ChatParts, row: InboxRow, bot: BotIdentity): Promise<void> {
  const parts = turnParts(chat, row, bot, new AbortController().signal);
  const { say } = parts;
  await new Turn(parts).answer(
    `${say.gaveUp}\n${say.requestId({ id: row.requestId || newId("request") })}`,
  );
}

function turnParts(
  chat: ChatParts,
  row: InboxRow,
  bot: BotIdentity,
  stopSignal: AbortSignal,
): TurnParts {
  const { userId, languageCode, isGroup, target } = envelopeOf(chat.chatId, row);
  const language = languageOf(chat.settings.get("language") ?? languageCode);
  const { deps, telegram, inbox, settings, pace, sender, stopAnswer, moveTo, setBlocked } = chat;
  return {
    deps,
    telegram,
    inbox,
    settings,
    pace,
    sender,
    stopAnswer,
    moveTo,
    setBlocked,
    bot,
    row,
    target,
    isGroup,
    userId,
    language,
    stopSignal,
    say: messagesIn(language),
    reply: new Reply({ row, inbox, sender, target }),
    log: deps.log.with({ request_id: row.requestId, update_id: row.updateId }),
  };
}

function envelopeOf(chatId: number, row: InboxRow): Envelope {
  const update = objectOf(JSON.parse(row.body));
  const holder = objectOf(
    update["message"] ?? update["callback_query"] ?? update["my_chat_member"],
  );
  const message = "message" in update ? holder : objectOf(holder["message"]);
  const from = objectOf(holder["from"]);
  const isGroup = chatId < 0;
  const inTopic = message["is_topic_message"] === true;
  return {
    userId: numberOf(from["id"]),
    languageCode: typeof from["language_code"] === "string" ? from["language_code"] : null,
    isGroup,
    target: {
      chatId,
      threadId: inTopic ? numberOf(message["message_thread_id"]) : null,
      replyTo: isGroup ? numberOf(message["message_id"]) : null,
    },
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}; // any object can be looked into by name
}

const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** grammY wants all of getMe; only these two are read. */
function meOf(bot: BotIdentity): UserFromGetMe {
  return {
    id: bot.id,
    username: bot.username,
    is_bot: true,
    first_name: bot.username,
  } as UserFromGetMe;
}

/** Who the bot is, asked once a day. @throws what the call throws */
export async function identify(
  telegram: Api,
  settings: ChatParts["settings"],
  now: number,
): Promise<BotIdentity> {
  const kept = settings.get("bot");
  if (kept && now - kept.checkedAt < 24 * 3_600_000) return kept.identity;
  const { id, username } = await telegram.getMe();
  settings.set("bot", { identity: { id, username }, checkedAt: now });
  return { id, username };
}
