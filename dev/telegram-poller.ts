import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const LONG_POLL_SECONDS = 25;
/** Telegram answers a long poll a little after its time. */
const ANSWER_GRACE_MS = 10_000;
const WEBHOOK_CHECK_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export interface TelegramPollerOptions {
  token: string;
  /** Without a slash at its end; https://api.telegram.org without it. */
  apiRoot?: string;
  /** Where the updates go. */
  webhookUrl: string;
  webhookSecret: string;
  /** Remembers what was handed over, so that a new start goes on there. */
  offsetFile: string;
  /** Tells people what they should know. */
  say: (sentence: string) => void;
}

export interface TelegramPoller {
  /** Settles after what is running right now. */
  stop(): Promise<void>;
}

interface Update {
  update_id: number;
}

/** Telegram's answer, good or bad. */
interface Answer<Result> {
  ok: boolean;
  result?: Result;
  error_code?: number;
  description?: string;
  parameters?: { retry_after?: number };
}

/**
 * Fetches a bot's updates and hands them to the local webhook, one after the other, as Telegram would if it could reach
 * this machine. It stands back while the bot has a webhook, and never deletes one.
 */
export function startTelegramPoller(options: TelegramPollerOptions): TelegramPoller {
  const ending = new AbortController();
  const done = new Poller(options, ending.signal).run();
  return {
    async stop() {
      ending.abort();
      await done;
    },
  };
}

class Poller {
  readonly #options: TelegramPollerOptions;
  readonly #ending: AbortSignal;
  #offset: number | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #lastSentence = "";

  constructor(options: TelegramPollerOptions, ending: AbortSignal) {
    this.#options = options;
    this.#ending = ending;
    this.#offset = readOffset(options.offsetFile);
  }

  async run(): Promise<void> {
    while (!this.#ending.aborted) {
      try {
        if (!(await this.#mayPoll())) return;
        await this.#pollUntilRefused();
      } catch (error) {
        if (this.#ending.aborted) return;
        this.#say(
          `Telegram can't be reached: ${error instanceof Error ? error.message : String(error)}. It is tried again.`,
        );
        await this.#pause();
      }
    }
  }

  /** Waits until the bot has no webhook. False when it never will be ours to poll. */
  async #mayPoll(): Promise<boolean> {
    while (!this.#ending.aborted) {
      const answer = await this.#ask<{ url: string }>("getWebhookInfo", {}, ANSWER_GRACE_MS);
      if (answer.error_code === 401 || answer.error_code === 404) {
        this.#say(
          "Telegram does not know the TELEGRAM_BOT_TOKEN. The bot is off until it is right.",
        );
        return false;
      }
      if (await this.#waitAsTold(answer)) continue;
      if (!answer.result?.url) return true;
      const { host } = new URL(answer.result.url);
      this.#say(
        `The bot has a webhook at ${host}, so its updates go there and are not fetched here.`,
      );
      await this.#sleep(WEBHOOK_CHECK_MS);
    }
    return false;
  }

  async #pollUntilRefused(): Promise<void> {
    while (!this.#ending.aborted) {
      const request = {
        timeout: LONG_POLL_SECONDS,
        ...(this.#offset === undefined ? {} : { offset: this.#offset }),
      };
      const answer = await this.#ask<Update[]>(
        "getUpdates",
        request,
        LONG_POLL_SECONDS * 1000 + ANSWER_GRACE_MS,
      );
      // 409: a webhook was set, or somebody else polls. Which of them, getWebhookInfo tells.
      if (answer.error_code === 409) {
        this.#say("Another program fetches this bot's updates, or it has got a webhook.");
        await this.#pause();
        return;
      }
      if (await this.#waitAsTold(answer)) continue;
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#lastSentence = "";
      for (const update of answer.result ?? []) {
        await this.#handOver(update);
        if (this.#ending.aborted) return;
      }
    }
  }

  /** Gives one update to the webhook until it takes it: what it did not take must not be forgotten. */
  async #handOver(update: Update): Promise<void> {
    const { webhookUrl, webhookSecret, offsetFile } = this.#options;
    while (!this.#ending.aborted) {
      try {
        const response = await fetch(webhookUrl, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "x-telegram-bot-api-secret-token": webhookSecret,
          },
          body: JSON.stringify(update),
          signal: this.#ending,
        });
        await response.body?.cancel();
        if (response.status === 200) {
          this.#offset = update.update_id + 1;
          writeOffset(offsetFile, this.#offset);
          this.#pauseMs = FIRST_PAUSE_MS;
          return;
        }
        this.#say(
          `The local webhook answered ${response.status} to update ${update.update_id}. It gets it again.`,
        );
      } catch {
        if (this.#ending.aborted) return;
        this.#say("The local webhook can't be reached. It gets the update again.");
      }
      await this.#pause();
    }
  }

  async #ask<Result>(method: string, body: object, timeoutMs: number): Promise<Answer<Result>> {
    const root = this.#options.apiRoot ?? "https://api.telegram.org";
    let response: Response;
    try {
      response = await fetch(`${root}/bot${this.#options.token}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.any([this.#ending, AbortSignal.timeout(timeoutMs)]),
      });
    } catch (error) {
      // The address holds the token, and some messages hold the address.
      throw new Error(
        error instanceof Error && error.name === "TimeoutError"
          ? "no answer in time"
          : "no connection",
        { cause: error },
      );
    }
    return (await response.json()) as Answer<Result>; // Telegram answers every call in this form
  }

  /** Waits where Telegram asks for it or answered an error. False when the answer was good. */
  async #waitAsTold({ ok, description, parameters }: Answer<unknown>): Promise<boolean> {
    if (ok) return false;
    if (parameters?.retry_after !== undefined) await this.#sleep(parameters.retry_after * 1000);
    else {
      this.#say(
        `Telegram answered: ${description ?? "an error without a description"}. It is tried again.`,
      );
      await this.#pause();
    }
    return true;
  }

  async #pause(): Promise<void> {
    await this.#sleep(this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  async #sleep(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#ending }).catch(() => undefined);
  }

  /** The same sentence is not said twice in a row. */
  #say(sentence: string): void {
    if (sentence === this.#lastSentence) return;
    this.#lastSentence = sentence;
    this.#options.say(sentence);
  }
}

function readOffset(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const offset = Number(readFileSync(file, "utf8"));
  return Number.isSafeInteger(offset) && offset > 0 ? offset : undefined;
}

/** In one step, so that a kill -9 leaves the old or the new number and nothing between. */
function writeOffset(file: string, offset: number): void {
  writeFileSync(`${file}.new`, `${offset}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
