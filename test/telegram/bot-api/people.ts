import type { MessageEntity, User } from "grammy/types";
import type { Delivery, RawUpdate } from "./delivery.ts";
import { detectEntities } from "./parse-entities.ts";
import { chatObject, messageObject } from "./world.ts";
import type { StoredChat, StoredMessage, World } from "./world.ts";

export interface SayOptions {
  /** Where; the person's private chat with the bot unless told. */
  in?: StoredChat;
  threadId?: number;
  replyTo?: number;
  /** Found as Telegram's apps find them, unless told. */
  entities?: MessageEntity[];
}

/** What a tap on a button did. */
export interface Tap {
  callbackId: string;
  updateId: number;
}

/** Somebody who uses the bot. */
export class Person {
  readonly user: User;
  /** The private chat with the bot. */
  readonly chat: StoredChat;
  readonly #world: World;
  readonly #delivery: Delivery;
  readonly #bot: User;

  constructor(world: World, delivery: Delivery, bot: User, user: User) {
    this.#world = world;
    this.#delivery = delivery;
    this.#bot = bot;
    this.user = user;
    this.chat = world.addChat({ id: user.id, type: "private", person: user });
  }

  /** Makes the update for a text without delivering it. */
  writes(text: string, options: SayOptions = {}): RawUpdate {
    return this.#message({ text, entities: options.entities ?? detectEntities(text) }, options);
  }

  /** Sends a text. @returns its update_id */
  says(text: string, options: SayOptions = {}): number {
    return this.#push(this.writes(text, options));
  }

  /** Sends a photo in two sizes, the given one being the larger. One that is lost cannot be fetched any more. */
  sendsPhoto(
    bytes: Uint8Array,
    options: SayOptions & { caption?: string; lost?: boolean } = {},
  ): number {
    const small = this.#world.addFile(bytes.slice(0, Math.max(1, bytes.length >> 2)), "jpg");
    const large = this.#world.addFile(bytes, "jpg");
    const photo = [small, large].map(({ file_id, bytes: content }, index) => ({
      file_id,
      file_unique_id: `u${file_id}`,
      width: 90 * (index + 1),
      height: 60 * (index + 1),
      file_size: content.length,
    }));
    if (options.lost) for (const { file_id } of photo) this.#world.files.delete(file_id);
    const entities = options.entities ?? detectEntities(options.caption ?? "");
    return this.#push(this.#message({ photo, caption: options.caption, entities }, options));
  }

  /** Sends a file. @returns its update_id */
  sendsFile(name: string, bytes: Uint8Array, type: string, options: SayOptions = {}): number {
    const { file_id } = this.#world.addFile(bytes, "bin");
    return this.sends(
      {
        document: {
          file_id,
          file_unique_id: `u${file_id}`,
          file_name: name,
          mime_type: type,
          file_size: bytes.length,
        },
      },
      options,
    );
  }

  /** Sends anything else, such as `{ voice: {…} }`. */
  sends(content: Record<string, unknown>, options: SayOptions = {}): number {
    const update = this.#message({}, options);
    return this.#push({ ...update, message: { ...(update["message"] as object), ...content } }); // #message always makes one
  }

  edits(message: number, text: string, chat: StoredChat = this.chat): number {
    const stored = chat.messages.get(message);
    if (!stored) throw new Error(`message ${message} does not exist`);
    stored.text = text;
    stored.editDate = Math.floor(Date.now() / 1000);
    return this.#push({
      update_id: this.#delivery.newUpdateId(),
      edited_message: messageObject(this.#world, stored),
    });
  }

  /** Presses the button that has this text, under the newest message that has one. */
  taps(buttonText: string, options: { in?: StoredChat; message?: number } = {}): Tap {
    const chat = options.in ?? this.chat;
    const messages =
      options.message === undefined
        ? [...chat.messages.values()].reverse()
        : [chat.messages.get(options.message)];
    for (const message of messages) {
      const button = message?.replyMarkup?.inline_keyboard
        .flat()
        .find((one) => one.text === buttonText);
      if (message && button && "callback_data" in button)
        return this.tapsData(button.callback_data ?? "", chat, message);
    }
    throw new Error(`nothing in chat ${chat.id} has a button "${buttonText}"`);
  }

  /** Sends a callback with this data, whether or not there is such a button, as a modified app could. */
  tapsData(data: string, chat: StoredChat, message: StoredMessage): Tap {
    const callbackId = `${this.user.id}${Date.now()}${Math.floor(Math.random() * 1e6)}`;
    this.#world.pendingCallbacks.set(callbackId, Date.now());
    const updateId = this.#push({
      update_id: this.#delivery.newUpdateId(),
      callback_query: {
        id: callbackId,
        from: this.user,
        chat_instance: `ci${chat.id}`,
        data,
        message: messageObject(this.#world, message),
      },
    });
    return { callbackId, updateId };
  }

  blocks(): number {
    this.chat.reachable = false;
    this.chat.refusal = "Forbidden: bot was blocked by the user";
    return this.#push(
      membership(this.#delivery, this.#bot, {
        chat: this.chat,
        by: this.user,
        from: "member",
        to: "kicked",
      }),
    );
  }

  unblocks(): number {
    this.chat.reachable = true;
    return this.#push(
      membership(this.#delivery, this.#bot, {
        chat: this.chat,
        by: this.user,
        from: "kicked",
        to: "member",
      }),
    );
  }

  #message(content: Partial<StoredMessage>, options: SayOptions): RawUpdate {
    const chat = options.in ?? this.chat;
    const stored = this.#world.addMessage(chat, {
      from: this.user,
      threadId: options.threadId,
      replyTo: options.replyTo,
      ...content,
    });
    return { update_id: this.#delivery.newUpdateId(), message: messageObject(this.#world, stored) };
  }

  #push(update: RawUpdate): number {
    this.#delivery.push(update);
    return update.update_id;
  }
}

interface MembershipChange {
  chat: StoredChat;
  by: User;
  from: string;
  to: string;
}

/** The `my_chat_member` update that tells the bot what became of it. */
export function membership(delivery: Delivery, bot: User, change: MembershipChange): RawUpdate {
  return {
    update_id: delivery.newUpdateId(),
    my_chat_member: {
      chat: chatObject(change.chat),
      from: change.by,
      date: Math.floor(Date.now() / 1000),
      old_chat_member: { user: bot, status: change.from },
      new_chat_member: { user: bot, status: change.to },
    },
  };
}
