import { commandOf } from "./addressing.ts";

/** Where an update goes. */
export interface Route {
  /** The id of the chat whose object keeps it. */
  chatId: number;
  updateId: number;
  /** Turns are answered one at a time, in order; what is urgent overtakes them. */
  lane: "turn" | "urgent";
  /** Turns that wait are answered by rising position: the message's own number in its chat. */
  position: number;
}

export type Routing =
  | { to: "chat"; route: Route }
  | { to: "nowhere"; why: string }
  | { to: "malformed"; why: string };

const nowhere = (why: string): Routing => ({ to: "nowhere", why });

/**
 * Decides by shape alone what becomes of an update. Whatever the Bot API knows and the bot does not serve, or does not
 * know yet, goes nowhere: answered with 200, or Telegram would send it for a day.
 */
export function routeUpdate(body: unknown): Routing {
  if (!isObject(body)) return { to: "malformed", why: "an update must be a JSON object" };
  const updateId = body["update_id"];
  if (typeof updateId !== "number" || !Number.isSafeInteger(updateId) || updateId < 0) {
    return { to: "malformed", why: "update_id must be a whole number" };
  }
  const { message, callback_query: callback, my_chat_member: membership } = body;
  if (isObject(message)) return routeMessage(updateId, message);
  if (isObject(callback)) {
    const chatId = chatIdOf(callback["message"]) ?? idOf(callback["from"]);
    return chatId === null ? nowhere("a callback of nobody") : urgent(updateId, chatId);
  }
  if (isObject(membership)) {
    const chatId = chatIdOf(membership);
    return chatId === null ? nowhere("a membership in no chat") : urgent(updateId, chatId);
  }
  return nowhere(Object.keys(body).find((key) => key !== "update_id") ?? "empty");
}

function routeMessage(updateId: number, message: Record<string, unknown>): Routing {
  const chatId = chatIdOf(message);
  const chat = message["chat"];
  if (chatId === null || !isObject(chat)) return nowhere("a message without a chat");
  if (!["private", "group", "supergroup"].includes(String(chat["type"])))
    return nowhere("not a chat of people");
  if ("migrate_to_chat_id" in message || "migrate_from_chat_id" in message)
    return urgent(updateId, chatId);
  const number = message["message_id"];
  const position = typeof number === "number" && Number.isSafeInteger(number) ? number : 0;
  if (isStop(message)) return urgent(updateId, chatId, position);
  return { to: "chat", route: { chatId, updateId, lane: "turn", position } };
}

function isStop(message: Record<string, unknown>): boolean {
  const { text, entities } = message;
  if (
    typeof text !== "string" ||
    !text.toLowerCase().startsWith("/stop") ||
    !Array.isArray(entities)
  )
    return false;
  return commandOf({ text, entities })?.name === "stop";
}

function urgent(updateId: number, chatId: number, position = 0): Routing {
  return { to: "chat", route: { chatId, updateId, lane: "urgent", position } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function idOf(value: unknown): number | null {
  const id = isObject(value) ? value["id"] : undefined;
  return typeof id === "number" && Number.isSafeInteger(id) && id !== 0 ? id : null;
}

const chatIdOf = (holder: unknown): number | null =>
  isObject(holder) ? idOf(holder["chat"]) : null;
