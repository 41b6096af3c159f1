import { equalDigests, sha256 } from "#core/kernel/digest.ts";
import { AppError } from "#core/kernel/errors.ts";
import { newId } from "#core/kernel/ids.ts";
import { KNOWN_COMMANDS } from "./commands.ts";
import { type BotDeps, chatObject } from "./deps.ts";
import { type BotIdentity, isForBot } from "./telegram/addressing.ts";
import { type Route, routeUpdate } from "./telegram/route-update.ts";

/** Larger than any update that Telegram sends, in bytes. */
const BODY_LIMIT = 1024 * 1024;
const SECRET_HEADER = "x-telegram-bot-api-secret-token";

/** Who the bot is, once a chat's object has told: a plain value, good for the isolate's life. */
let known: { token: string; identity: BotIdentity } | null = null;

/**
 * Takes one update: the secret first, then size and shape, then the chat's object, which keeps it before this answers
 * 200. Nothing here calls out: who has the wrong secret costs nothing but a digest.
 * @throws AppError for everything that is not 200
 */
export async function takeUpdate(request: Request, deps: BotDeps): Promise<Response> {
  await checkSecret(request, deps);
  const body = await readBody(request);
  const update = parse(body);
  const routing = routeUpdate(update);
  if (routing.to === "malformed")
    throw new AppError("invalid_request", { message: `This is no update: ${routing.why}.` });
  if (routing.to === "nowhere") {
    deps.log.debug("telegram_update_ignored", { why: routing.why });
    return new Response(null, { status: 200 });
  }
  if (!isGroupTalk(update, deps)) await keep(routing.route, body, deps);
  return new Response(null, { status: 200 });
}

async function checkSecret(request: Request, deps: BotDeps): Promise<void> {
  const { TELEGRAM_WEBHOOK_SECRET: secret, TELEGRAM_BOT_TOKEN: token } = deps.settings;
  const [given, expected] = await Promise.all([
    sha256(request.headers.get(SECRET_HEADER) ?? ""),
    sha256(secret ?? ""),
  ]);
  if (secret === null || token === null) {
    throw new AppError("unavailable", {
      message: "The bot is off: set TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_SECRET.",
      retryAfterSeconds: 60,
    });
  }
  if (!equalDigests(given, expected)) {
    throw new AppError("missing_api_key", {
      message: `${SECRET_HEADER} is missing or not the secret that the webhook was set with.`,
    });
  }
}

async function readBody(request: Request): Promise<string> {
  const tooLarge = () => new AppError("body_too_large", { message: "An update is at most 1 MB." });
  if (Number(request.headers.get("content-length") ?? 0) > BODY_LIMIT) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw tooLarge();
    chunks.push(chunk);
  }
  return new Blob(chunks).text();
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new AppError("invalid_json", { message: "The body is not valid JSON.", cause });
  }
}

/** Talk in a group that is not for the bot is dropped here, where it costs no write. Before the bot's name is known, the object decides. */
function isGroupTalk(update: unknown, deps: BotDeps): boolean {
  if (known?.token !== deps.settings.TELEGRAM_BOT_TOKEN) return false;
  const message =
    typeof update === "object" && update !== null && "message" in update ? update.message : null;
  if (typeof message !== "object" || message === null) return false;
  if ("migrate_to_chat_id" in message || "migrate_from_chat_id" in message) return false;
  try {
    return !isForBot(message, known.identity, KNOWN_COMMANDS);
  } catch {
    return false; // an odd shape; the object's poison handling is made for it
  }
}

async function keep(route: Route, body: string, deps: BotDeps): Promise<void> {
  const { chatId, updateId, lane, position } = route;
  const requestId = newId("request");
  try {
    const identity = await chatObject(deps, chatId).receive(chatId, {
      updateId,
      lane,
      position,
      body,
      requestId,
    });
    const token = deps.settings.TELEGRAM_BOT_TOKEN;
    if (identity && token !== null) known = { token, identity };
  } catch (cause) {
    throw new AppError("unavailable", {
      message: "The update could not be kept; send it again.",
      retryAfterSeconds: 1,
      cause,
    });
  }
}
