import { Api } from "grammy";
import type { FileStore } from "#core/files/file-store.ts";
import { noSource } from "#core/kernel/context.ts";
import type { Logger } from "#core/kernel/log.ts";
import type { TelegramContext } from "#core/telegram/telegram-context.ts";
import { loadSignal, type Signal } from "#core/switches/signal.ts";
import { SignalBoard, type SignalSources } from "#core/switches/signal-board.ts";
import { openDatabase } from "#platform/database.ts";
import { createFileStore } from "#platform/file-store.ts";
import { withDatabase } from "#platform/context.ts";
import { consoleLogger } from "#platform/logger.ts";
import type { TelegramChat } from "./chat-object/telegram-chat.ts";
import { type BotSettings, readBotSettings } from "./settings.ts";

/** Telegram is given up on after this long, in seconds. */
const TELEGRAM_TIMEOUT_SECONDS = 20;

/** What the bot Worker works with; made from `env`, here and nowhere else. */
export interface BotDeps {
  settings: BotSettings;
  log: Logger;
  chats: DurableObjectNamespace<TelegramChat>;
  /** The api Worker, by service binding. */
  switchyard: Fetcher;
  /** Where files are that chats are sent. */
  files: FileStore;
  /** Null where there is no bot token. */
  telegram: Api | null;
  /** What is switched off, no more than a second out of date while Postgres answers; null where nothing is known. */
  signal(): Promise<Signal | null>;
  /** The context for the verbs of core/telegram. */
  context(requestId: string): TelegramContext;
}

const made = new WeakMap<BotEnv, BotDeps>();

/**
 * The isolate's dependencies.
 * @throws AppError `misconfigured` when a setting is missing or bad
 */
export function depsOf(env: BotEnv): BotDeps {
  const deps = made.get(env) ?? makeDeps(env);
  made.set(env, deps);
  return deps;
}

function makeDeps(env: BotEnv): BotDeps {
  const settings = readBotSettings(env);
  const log = consoleLogger(settings.LOG_LEVEL, "bot");
  const signals = new SignalBoard();
  const signalSources: SignalSources = {
    readCache: () => Promise.resolve(null), // there is none here; a bot has few isolates
    writeCache: () => Promise.resolve(),
    load: () => loadSignal(openDatabase(settings), Date.now()),
    background: (work) => void work,
    now: Date.now,
  };
  const token = settings.TELEGRAM_BOT_TOKEN;
  const options = { apiRoot: settings.TELEGRAM_API_ROOT, timeoutSeconds: TELEGRAM_TIMEOUT_SECONDS };
  return {
    settings,
    log,
    chats: env.TELEGRAM_CHAT as DurableObjectNamespace<TelegramChat>, // the generated type does not name the class
    switchyard: env.API,
    files: createFileStore(env.FILES),
    telegram: token === null ? null : new Api(token, options),
    signal: () => signals.current(signalSources).catch(() => null),
    context: (requestId) =>
      withDatabase(
        {
          principal: { kind: "system", teamId: null } as const,
          requestId,
          source: noSource,
          log: log.with({ request_id: requestId }),
          now: () => new Date(),
        },
        settings,
      ),
  };
}

/** The object that keeps a chat. */
export function chatObject(
  deps: Pick<BotDeps, "chats">,
  chatId: number,
): DurableObjectStub<TelegramChat> {
  return deps.chats.get(deps.chats.idFromName(String(chatId)));
}

/** The object that hands out broadcasts, one for the whole bot. */
export function broadcastObject(deps: Pick<BotDeps, "chats">): DurableObjectStub<TelegramChat> {
  return deps.chats.get(deps.chats.idFromName("broadcast"));
}
