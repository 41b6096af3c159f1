import type { InlineKeyboardMarkup, User } from "grammy/types";
import { BotApiError, badRequest } from "./bot-api-error.ts";
import { knownUpdateKinds } from "./delivery.ts";
import type { Delivery } from "./delivery.ts";
import type { FloodControl } from "./flood-control.ts";
import { parseText } from "./parse-entities.ts";
import { messageObject } from "./world.ts";
import type { Command, StoredChat, StoredMessage, World } from "./world.ts";

/** A file that came in a multipart form. */
export interface Upload {
  name: string;
  bytes: Uint8Array;
}

export interface Call {
  params: Record<string, unknown>;
  uploads: Map<string, Upload>;
}

export interface MethodsContext {
  world: World;
  delivery: Delivery;
  flood: FloodControl;
  bot: User & { is_bot: true };
}

type Method = (context: MethodsContext, call: Call) => unknown;

const MAX_TEXT = 4096;
const MAX_CAPTION = 1024;
const MAX_CALLBACK_DATA = 64;
const MAX_UPLOAD = 50 * 1024 * 1024;

function chatOf({ world, bot }: MethodsContext, { params }: Call): StoredChat {
  const id = Number(params["chat_id"]);
  if (params["chat_id"] === undefined || params["chat_id"] === "")
    throw badRequest("chat_id is empty");
  const chat = world.chats.get(id);
  if (!chat || id === bot.id) throw badRequest("chat not found");
  if (chat.migratedTo !== undefined) {
    throw badRequest("group chat was upgraded to a supergroup chat", {
      migrate_to_chat_id: chat.migratedTo,
    });
  }
  if (!chat.reachable) throw new BotApiError(403, chat.refusal);
  return chat;
}

/** Telegram counts characters, not UTF-16 units. */
const characters = (text: string) => [...text].length;

function textOf(
  { params }: Call,
  limit: number,
  field: "text" | "caption",
): ReturnType<typeof parseText> {
  const raw = params[field];
  const parsed = parseText(
    raw === undefined ? "" : String(raw),
    params["parse_mode"],
    params[field === "text" ? "entities" : "caption_entities"],
  );
  const trimmed = parsed.text.trimEnd();
  const entities = parsed.entities
    .map((one) => ({ ...one, length: Math.min(one.length, trimmed.length - one.offset) }))
    .filter((one) => one.length > 0);
  if (field === "text" && trimmed.trim() === "") throw badRequest("message text is empty");
  if (characters(trimmed) > limit)
    throw badRequest(field === "text" ? "message is too long" : "message caption is too long");
  return { text: trimmed, entities };
}

function replyMarkupOf({ params }: Call): InlineKeyboardMarkup | undefined {
  const markup = params["reply_markup"];
  if (markup === undefined || markup === "") return undefined;
  if (typeof markup !== "object" || markup === null)
    throw badRequest("can't parse reply keyboard markup JSON object");
  if (!("inline_keyboard" in markup)) return undefined;
  if (!Array.isArray(markup.inline_keyboard))
    throw badRequest('can\'t parse inline keyboard: field "inline_keyboard" must be an Array');
  for (const row of markup.inline_keyboard) {
    if (!Array.isArray(row))
      throw badRequest(
        "can't parse inline keyboard button: InlineKeyboardButton must be an Object",
      );
    for (const button of row) checkButton(button);
  }
  return markup as InlineKeyboardMarkup; // its fields were checked above
}

function checkButton(button: unknown): void {
  if (
    typeof button !== "object" ||
    button === null ||
    !("text" in button) ||
    typeof button.text !== "string" ||
    button.text === ""
  ) {
    throw badRequest(
      "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    );
  }
  if ("callback_data" in button) {
    const size = new TextEncoder().encode(String(button.callback_data)).length;
    if (size < 1 || size > MAX_CALLBACK_DATA) throw badRequest("BUTTON_DATA_INVALID");
  } else if (!("url" in button))
    throw badRequest(
      "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    );
}

function threadOf(chat: StoredChat, { params }: Call): number | undefined {
  const thread = params["message_thread_id"];
  if (thread === undefined || thread === "") return undefined;
  if (!chat.forum && chat.type !== "private") throw badRequest("message thread not found");
  return Number(thread);
}

function replyTargetOf(chat: StoredChat, { params }: Call): number | undefined {
  const reply = params["reply_parameters"];
  if (typeof reply !== "object" || reply === null || !("message_id" in reply)) return undefined;
  const target = Number(reply.message_id);
  if (chat.messages.has(target)) return target;
  if ("allow_sending_without_reply" in reply && reply.allow_sending_without_reply === true)
    return undefined;
  throw badRequest("message to be replied not found");
}

function post(
  context: MethodsContext,
  call: Call,
  make: (chat: StoredChat) => Partial<StoredMessage>,
): unknown {
  const chat = chatOf(context, call);
  const message = {
    from: context.bot,
    threadId: threadOf(chat, call),
    replyTo: replyTargetOf(chat, call),
    replyMarkup: replyMarkupOf(call),
    ...make(chat),
  };
  context.flood.admit(chat);
  chat.drafts = [];
  return messageObject(context.world, context.world.addMessage(chat, message));
}

function sendFile(field: "document" | "photo"): Method {
  return (context, call) =>
    post(context, call, () => {
      const caption =
        call.params["caption"] === undefined
          ? { text: undefined, entities: [] }
          : textOf(call, MAX_CAPTION, "caption");
      const given = String(call.params[field] ?? "");
      const upload = call.uploads.get(
        given.startsWith("attach://") ? given.slice("attach://".length) : field,
      );
      const known = upload ? undefined : context.world.files.get(given);
      const bytes = upload?.bytes ?? known?.bytes;
      if (!bytes) throw badRequest(`there is no ${field} in the request`);
      if (bytes.length === 0) throw badRequest("file must be non-empty");
      if (bytes.length > MAX_UPLOAD) throw new BotApiError(413, "Request Entity Too Large");
      const file = context.world.addFile(bytes, field === "photo" ? "jpg" : "bin");
      const shown = { caption: caption.text, entities: caption.entities };
      if (field === "photo") {
        return {
          ...shown,
          photo: [
            {
              file_id: file.file_id,
              file_unique_id: `u${file.file_id}`,
              width: 1,
              height: 1,
              file_size: bytes.length,
            },
          ],
        };
      }
      return {
        ...shown,
        document: { file_id: file.file_id, file_name: upload?.name ?? "file", bytes },
      };
    });
}

function ownMessage(
  context: MethodsContext,
  chat: StoredChat,
  call: Call,
  action: string,
): StoredMessage {
  const message = chat.messages.get(Number(call.params["message_id"]));
  if (!message) throw badRequest(`message to ${action} not found`);
  if (message.from?.id !== context.bot.id)
    throw badRequest(`message can't be ${action === "edit" ? "edited" : `${action}d`}`);
  return message;
}

function notModified(): BotApiError {
  return badRequest(
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
  );
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

const editMessageText: Method = (context, call) => {
  const chat = chatOf(context, call);
  const message = ownMessage(context, chat, call, "edit");
  if (message.text === undefined) throw badRequest("there is no text in the message to edit");
  const { text, entities } = textOf(call, MAX_TEXT, "text");
  const replyMarkup = replyMarkupOf(call);
  if (
    text === message.text &&
    same(entities, message.entities) &&
    same(replyMarkup, message.replyMarkup)
  )
    throw notModified();
  context.flood.admit(chat);
  Object.assign(message, { text, entities, replyMarkup, editDate: Math.floor(Date.now() / 1000) });
  message.history.push(text);
  return messageObject(context.world, message);
};

/** Of media only documents: a text becomes one, or one becomes another. */
const editMessageMedia: Method = (context, call) => {
  const chat = chatOf(context, call);
  const message = ownMessage(context, chat, call, "edit");
  const media = call.params["media"];
  if (typeof media !== "object" || media === null || !("media" in media) || !("type" in media))
    throw badRequest("can't parse input media");
  const upload = call.uploads.get(String(media.media).replace(/^attach:\/\//, ""));
  if (media.type !== "document" || !upload) throw badRequest("wrong file identifier specified");
  if (upload.bytes.length === 0) throw badRequest("file must be non-empty");
  const caption = "caption" in media ? String(media.caption) : undefined;
  if ((caption ?? "").length > MAX_CAPTION) throw badRequest("message caption is too long");
  const unchanged =
    message.caption === caption &&
    message.document?.file_name === upload.name &&
    Buffer.from(message.document?.bytes ?? []).equals(upload.bytes);
  if (unchanged) throw notModified();
  context.flood.admit(chat);
  const file = context.world.addFile(upload.bytes, "bin");
  Object.assign(message, {
    text: undefined,
    entities: [],
    caption,
    document: { file_id: file.file_id, file_name: upload.name ?? "file", bytes: upload.bytes },
    replyMarkup: replyMarkupOf(call),
    editDate: Math.floor(Date.now() / 1000),
  });
  if (caption !== undefined) message.history.push(caption);
  return messageObject(context.world, message);
};

const editMessageReplyMarkup: Method = (context, call) => {
  const chat = chatOf(context, call);
  const message = ownMessage(context, chat, call, "edit");
  const replyMarkup = replyMarkupOf(call);
  if (same(replyMarkup, message.replyMarkup)) throw notModified();
  context.flood.admit(chat);
  message.replyMarkup = replyMarkup;
  return messageObject(context.world, message);
};

const deleteMessage: Method = (context, call) => {
  const chat = chatOf(context, call);
  if (!chat.messages.delete(Number(call.params["message_id"])))
    throw badRequest("message to delete not found");
  return true;
};

const CHAT_ACTIONS = new Set([
  "typing",
  "upload_photo",
  "upload_document",
  "record_voice",
  "upload_voice",
  "find_location",
]);

const sendChatAction: Method = (context, call) => {
  chatOf(context, call);
  if (!CHAT_ACTIONS.has(String(call.params["action"])))
    throw badRequest("wrong parameter action in request");
  return true;
};

const sendMessageDraft: Method = (context, call) => {
  const chat = chatOf(context, call);
  if (chat.type !== "private") throw badRequest("drafts can be sent only to private chats");
  const id = Number(call.params["draft_id"]);
  if (!Number.isInteger(id) || id === 0) throw badRequest("draft_id must be non-zero");
  const text = String(call.params["text"] ?? "");
  if (characters(text) > MAX_TEXT) throw badRequest("message is too long");
  context.flood.admit(chat);
  chat.drafts = [...chat.drafts.filter((draft) => draft.draft_id !== id), { draft_id: id, text }];
  return true;
};

const answerCallbackQuery: Method = ({ world }, { params }) => {
  const id = String(params["callback_query_id"]);
  const askedAt = world.pendingCallbacks.get(id);
  if (askedAt === undefined || Date.now() - askedAt > 150_000) {
    throw badRequest("query is too old and response timeout expired or query ID is invalid");
  }
  const text = String(params["text"] ?? "");
  if (characters(text) > 200) throw badRequest("MESSAGE_TOO_LONG");
  world.pendingCallbacks.delete(id);
  world.answeredCallbacks.set(id, {
    text,
    showAlert: params["show_alert"] === true || params["show_alert"] === "true",
  });
  return true;
};

const setWebhook: Method = ({ delivery }, { params }) => {
  const url = String(params["url"] ?? "");
  const secret = params["secret_token"] === undefined ? undefined : String(params["secret_token"]);
  if (secret !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secret))
    throw badRequest("secret token contains unallowed characters");
  if (url === "") {
    delivery.setWebhook(undefined);
    return true;
  }
  // The real one takes https only; here everything is on loopback.
  if (!/^https?:\/\//.test(url))
    throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
  if (params["drop_pending_updates"] === true || params["drop_pending_updates"] === "true")
    delivery.waiting.length = 0;
  delivery.setWebhook({
    url,
    secretToken: secret,
    allowedUpdates: knownUpdateKinds(params["allowed_updates"]) ?? delivery.webhook?.allowedUpdates,
    maxConnections: Number(params["max_connections"] ?? 40),
  });
  return true;
};

const getWebhookInfo: Method = ({ delivery }) => ({
  url: delivery.webhook?.url ?? "",
  has_custom_certificate: false,
  pending_update_count: delivery.pending,
  max_connections: delivery.webhook?.maxConnections,
  allowed_updates: delivery.webhook?.allowedUpdates,
  last_error_date: delivery.lastError?.date,
  last_error_message: delivery.lastError?.message,
});

const getUpdates: Method = async ({ delivery }, { params }) => {
  if (delivery.webhook) {
    throw new BotApiError(
      409,
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
  }
  const offset = Number(params["offset"] ?? 0);
  while (delivery.waiting[0] && delivery.waiting[0].update_id < offset) delivery.waiting.shift();
  await delivery.waitForUpdate(Math.min(50, Number(params["timeout"] ?? 0)) * 1000);
  return delivery.waiting.slice(0, Math.min(100, Number(params["limit"] ?? 100)));
};

function commandsKey({ params }: Call): string {
  const scope = params["scope"];
  const type =
    typeof scope === "object" && scope !== null && "type" in scope ? String(scope.type) : "default";
  return `${type}|${String(params["language_code"] ?? "")}`;
}

const setMyCommands: Method = ({ world }, call) => {
  const commands = call.params["commands"];
  if (!Array.isArray(commands) || commands.length > 100)
    throw badRequest("can't parse commands JSON object");
  for (const { command, description } of commands as Partial<Command>[]) {
    if (!/^[a-z0-9_]{1,32}$/.test(command ?? "")) throw badRequest("BOT_COMMAND_INVALID");
    if (!description || characters(description) > 256)
      throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
  }
  world.commands.set(commandsKey(call), commands as Command[]); // checked above
  return true;
};

const getFile: Method = ({ world }, { params }) => {
  const file = world.files.get(String(params["file_id"]));
  if (!file) throw badRequest("wrong file_id or the file is temporarily unavailable");
  if (file.bytes.length > 20 * 1024 * 1024) throw badRequest("file is too big");
  return {
    file_id: file.file_id,
    file_unique_id: `u${file.file_id}`,
    file_size: file.bytes.length,
    file_path: file.file_path,
  };
};

const getChatMember: Method = (context, call) => {
  const chat = chatOf(context, call);
  const userId = Number(call.params["user_id"]);
  const status = chat.administrators.has(userId) ? "administrator" : "member";
  return { status, user: { id: userId, is_bot: false, first_name: "Member" } };
};

const leaveChat: Method = (context, call) => {
  const chat = chatOf(context, call);
  chat.reachable = false;
  chat.refusal = `Forbidden: bot is not a member of the ${chat.type} chat`;
  return true;
};

/** Every method that this server knows, by its name in lower case: Telegram's method names ignore case. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>(
  Object.entries({
    getMe: (({ bot }) => ({
      ...bot,
      can_join_groups: true,
      can_read_all_group_messages: false,
      supports_inline_queries: false,
    })) satisfies Method,
    sendMessage: ((context, call) =>
      post(context, call, () => textOf(call, MAX_TEXT, "text"))) satisfies Method,
    sendDocument: sendFile("document"),
    sendPhoto: sendFile("photo"),
    deleteWebhook: (({ delivery }) => (delivery.setWebhook(undefined), true)) satisfies Method,
    getMyCommands: (({ world }, call) =>
      world.commands.get(commandsKey(call)) ?? []) satisfies Method,
    deleteMyCommands: (({ world }, call) => (
      world.commands.delete(commandsKey(call)),
      true
    )) satisfies Method,
    editMessageText,
    editMessageMedia,
    editMessageReplyMarkup,
    deleteMessage,
    sendChatAction,
    sendMessageDraft,
    answerCallbackQuery,
    setWebhook,
    getWebhookInfo,
    getUpdates,
    setMyCommands,
    getFile,
    getChatMember,
    leaveChat,
  } satisfies Record<string, Method>).map(([name, method]) => [name.toLowerCase(), method]),
);
