import { WorkerEntrypoint } from "cloudflare:workers";
import { newId } from "#core/kernel/ids.ts";
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
}
