import { WorkerEntrypoint } from "cloudflare:workers";
import { newId } from "#core/kernel/ids.ts";
import type { TelegramFile } from "#core/telegram/telegram-files.ts";
import { chatObject, depsOf } from "./deps.ts";
import { type BotReadiness, checkBotReadiness } from "./readiness.ts";

/** What other Workers of ours ask the bot for; reachable by service binding only. */
export class InternalBot extends WorkerEntrypoint<BotEnv> {
  /** The same as `GET /ready`. */
  health(): Promise<BotReadiness> {
    return checkBotReadiness(depsOf(this.env));
  }

  /**
   * Sends a notice to a chat, durably and at Telegram's pace.
   * @param key the same key is sent once; without one every call is a message
   * @returns whether it will be sent: false where the bot was blocked or too much waits
   */
  notify(chatId: number, text: string, key: string = newId("request")): Promise<boolean> {
    return chatObject(depsOf(this.env), chatId).notify(chatId, key, text);
  }

  /**
   * Sends a file of the file store to a chat as a document, durably and at Telegram's pace; the same key is sent once.
   * Who may send to the chat is for the caller to check.
   */
  sendFile(chatId: number, file: TelegramFile): Promise<"taken" | "known" | "refused"> {
    return chatObject(depsOf(this.env), chatId).sendFile(chatId, file);
  }
}
