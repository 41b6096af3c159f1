import type { InlineKeyboardMarkup, MessageEntity, PhotoSize, User } from "grammy/types";

export type ChatType = "private" | "group" | "supergroup" | "channel";

/** A message as it stands now; what a user would see when opening the chat. */
export interface StoredMessage {
  message_id: number;
  chatId: number;
  date: number;
  from: User | undefined;
  threadId: number | undefined;
  replyTo: number | undefined;
  text: string | undefined;
  caption: string | undefined;
  entities: MessageEntity[];
  replyMarkup: InlineKeyboardMarkup | undefined;
  document: { file_id: string; file_name: string; bytes: Uint8Array } | undefined;
  photo: PhotoSize[] | undefined;
  /** Every text that the message had, the present one last. */
  history: string[];
  editDate: number | undefined;
}

export interface StoredChat {
  id: number;
  type: ChatType;
  title: string | undefined;
  forum: boolean;
  /** The person on the other side, in a private chat. */
  person: User | undefined;
  /** Whether the bot may write: false once it was blocked, kicked, or never started. */
  reachable: boolean;
  /** Why it may not. */
  refusal: string;
  migratedTo: number | undefined;
  administrators: Set<number>;
  messages: Map<number, StoredMessage>;
  drafts: { draft_id: number; text: string }[];
}

export interface StoredFile {
  file_id: string;
  file_path: string;
  bytes: Uint8Array;
}

export interface Command {
  command: string;
  description: string;
}

/** Chats, messages and files: everything that Telegram would remember. */
export class World {
  readonly chats = new Map<number, StoredChat>();
  readonly files = new Map<string, StoredFile>();
  /** Commands by language and scope, keyed by `${scope}|${language}`. */
  readonly commands = new Map<string, Command[]>();
  readonly answeredCallbacks = new Map<string, { text: string; showAlert: boolean }>();
  readonly pendingCallbacks = new Map<string, number>();
  readonly #nextMessageId = new Map<number, number>();
  #nextFile = 1;

  /** Private chats and basic groups share one sequence of message ids; each supergroup and channel has its own. */
  newMessageId(chat: StoredChat): number {
    const sequence = chat.type === "supergroup" || chat.type === "channel" ? chat.id : 0;
    const id = this.#nextMessageId.get(sequence) ?? (sequence === 0 ? 1001 : 1);
    this.#nextMessageId.set(sequence, id + 1);
    return id;
  }

  addChat(chat: Pick<StoredChat, "id" | "type"> & Partial<StoredChat>): StoredChat {
    const stored: StoredChat = {
      title: undefined,
      forum: false,
      person: undefined,
      reachable: true,
      refusal: "Forbidden: bot was blocked by the user",
      migratedTo: undefined,
      administrators: new Set(),
      messages: new Map(),
      drafts: [],
      ...chat,
    };
    this.chats.set(stored.id, stored);
    return stored;
  }

  addMessage(chat: StoredChat, message: Partial<StoredMessage>): StoredMessage {
    const stored: StoredMessage = {
      message_id: this.newMessageId(chat),
      chatId: chat.id,
      date: Math.floor(Date.now() / 1000),
      from: undefined,
      threadId: undefined,
      replyTo: undefined,
      text: undefined,
      caption: undefined,
      entities: [],
      replyMarkup: undefined,
      document: undefined,
      photo: undefined,
      history: [],
      editDate: undefined,
      ...message,
    };
    const shown = stored.text ?? stored.caption;
    if (shown !== undefined) stored.history.push(shown);
    chat.messages.set(stored.message_id, stored);
    return stored;
  }

  addFile(bytes: Uint8Array, extension: string): StoredFile {
    const number = this.#nextFile++;
    const file = {
      file_id: `AgAD-file-${number}`,
      file_path: `photos/file_${number}.${extension}`,
      bytes,
    };
    this.files.set(file.file_id, file);
    return file;
  }
}

/** The `chat` object as it stands in updates and results. */
export function chatObject(chat: StoredChat): Record<string, unknown> {
  if (chat.type === "private") {
    const { first_name, last_name, username } = chat.person ?? { first_name: "Somebody" };
    return { id: chat.id, type: chat.type, first_name, last_name, username };
  }
  return { id: chat.id, type: chat.type, title: chat.title, is_forum: chat.forum || undefined };
}

/** The `message` object as it stands in updates and results. */
export function messageObject(
  world: World,
  message: StoredMessage,
  depth = 1,
): Record<string, unknown> {
  const chat = world.chats.get(message.chatId);
  if (!chat) throw new Error(`chat ${message.chatId} is gone`);
  const replied = message.replyTo === undefined ? undefined : chat.messages.get(message.replyTo);
  return {
    message_id: message.message_id,
    date: message.date,
    edit_date: message.editDate,
    chat: chatObject(chat),
    from: message.from,
    message_thread_id: message.threadId,
    is_topic_message: message.threadId === undefined ? undefined : true,
    reply_to_message: replied && depth > 0 ? messageObject(world, replied, depth - 1) : undefined,
    text: message.text,
    entities:
      message.text !== undefined && message.entities.length > 0 ? message.entities : undefined,
    caption: message.caption,
    caption_entities:
      message.caption !== undefined && message.entities.length > 0 ? message.entities : undefined,
    photo: message.photo,
    document: message.document && {
      file_id: message.document.file_id,
      file_unique_id: `u-${message.document.file_id}`,
      file_name: message.document.file_name,
      file_size: message.document.bytes.length,
    },
    reply_markup: message.replyMarkup,
  };
}
