import type { Message, MessageEntity } from "grammy/types";

/** Who the bot is, as getMe tells. */
export interface BotIdentity {
  id: number;
  username: string;
}

export interface BotCommand {
  /** Lower case, without the slash. */
  name: string;
  /** Whether it names a bot, as in `/help@some_bot`. */
  to: string | null;
}

/** Administrators who write in a group's name come as this user, which is a bot to look at but not one. */
const ANONYMOUS_ADMINISTRATOR = 1_087_968_824;

const entitiesOf = (message: Partial<Message>): MessageEntity[] => {
  const entities = message.text === undefined ? message.caption_entities : message.entities;
  return Array.isArray(entities) ? entities : [];
};
const textOf = (message: Partial<Message>): string => message.text ?? message.caption ?? "";

/** The command that a message begins with, by its entity: a slash in running text is none. */
export function commandOf(message: Partial<Message>): BotCommand | null {
  const entity = entitiesOf(message).find((one) => one.type === "bot_command" && one.offset === 0);
  if (!entity) return null;
  const [name = "", to] = textOf(message).slice(1, entity.length).split("@");
  return { name: name.toLowerCase(), to: to?.toLowerCase() ?? null };
}

/** What follows the command. */
export function commandArgument(message: Partial<Message>): string {
  const entity = entitiesOf(message).find((one) => one.type === "bot_command" && one.offset === 0);
  return textOf(message)
    .slice(entity?.length ?? 0)
    .trim();
}

/**
 * Whether a message is meant for the bot. In a private chat all are. In a group it is one that mentions the bot by
 * entity, replies to it, or is a command that it knows or that names it; a command that names another bot never is.
 */
export function isForBot(
  message: Partial<Message>,
  bot: BotIdentity,
  knownCommands: ReadonlySet<string>,
): boolean {
  const { from, chat } = message;
  if (from?.id === bot.id || message.via_bot?.id === bot.id) return false;
  if (from?.is_bot === true && from.id !== ANONYMOUS_ADMINISTRATOR) return false;
  if (message.is_automatic_forward === true) return false;
  const command = commandOf(message);
  if (command?.to !== null && command?.to !== undefined)
    return command.to === bot.username.toLowerCase();
  if (chat?.type === "private") return true;
  if (command)
    return knownCommands.has(command.name) || isReplyTo(message, bot) || mentions(message, bot);
  return mentions(message, bot) || isReplyTo(message, bot);
}

/** In a topic, every message is technically a reply to the service message that opened it. */
function isReplyTo(message: Partial<Message>, bot: BotIdentity): boolean {
  const replied = message.reply_to_message;
  return replied?.from?.id === bot.id && replied.forum_topic_created === undefined;
}

function isMentionOf(entity: MessageEntity, text: string, bot: BotIdentity): boolean {
  if (entity.type === "text_mention") return entity.user?.id === bot.id;
  if (entity.type !== "mention") return false;
  return (
    text.slice(entity.offset, entity.offset + entity.length).toLowerCase() ===
    `@${bot.username.toLowerCase()}`
  );
}

function mentions(message: Partial<Message>, bot: BotIdentity): boolean {
  const text = textOf(message);
  return entitiesOf(message).some((entity) => isMentionOf(entity, text, bot));
}

/** A message's text or caption without the mentions of the bot, which are an address and no part of the question. */
export function withoutMention(message: Partial<Message>, bot: BotIdentity): string {
  let text = textOf(message);
  const named = entitiesOf(message).filter(
    (entity) => entity.type === "mention" && isMentionOf(entity, text, bot),
  );
  for (const { offset, length } of [...named].sort((a, b) => b.offset - a.offset))
    text = text.slice(0, offset) + text.slice(offset + length);
  return text.replace(/[ \t]{2,}/g, " ").trim();
}

const QUOTE_LIMIT = 2_000;

/** What the message replies to, when that is somebody else's: "what does this mean?" is no question without it. */
export function quotedText(message: Partial<Message>, bot: BotIdentity): string | null {
  const replied = message.reply_to_message;
  if (!replied || replied.from?.id === bot.id) return null;
  const quoted = (message.quote?.text ?? textOf(replied)).trim();
  return quoted === "" ? null : quoted.slice(0, QUOTE_LIMIT);
}
