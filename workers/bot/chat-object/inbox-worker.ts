import type { Logger } from "#core/kernel/log.ts";
import type { BotIdentity } from "../telegram/addressing.ts";
import type { Inbox, InboxRow, Lane } from "./inbox.ts";
import { apologize, type ChatParts, identify, processUpdate } from "./process-update.ts";
import { type Refusal, TelegramRefusal } from "./sender.ts";

/** Attempts that ended in a crash or an unforeseen error; then the user is told. */
const MOST_ATTEMPTS = 3;
/** Beyond these even telling the user crashes. */
const HOPELESS_ATTEMPTS = 6;
/** For so long an answer is tried that Telegram or the network does not take. */
const PATIENCE_MS = 6 * 3_600_000;

/** Answers what is in the inbox, and decides what becomes of an update that cannot be answered. */
export class InboxWorker {
  private readonly inbox: Inbox;
  private readonly chat: () => ChatParts | null;
  private readonly busy: Record<Lane, boolean> = { turn: false, urgent: false };
  /** Ends the answer to the turn in progress. */
  private stopping: AbortController | null = null;

  /** @param chat what answers are made with; null without a bot token */
  constructor(inbox: Inbox, chat: () => ChatParts | null) {
    this.inbox = inbox;
    this.chat = chat;
  }

  /** Whether a turn is being answered right now. */
  get answering(): boolean {
    return this.stopping !== null;
  }

  stopTurn(): void {
    this.stopping?.abort();
  }

  /** Works through one lane until it is empty, has to wait, or the time is over. */
  async drain(lane: Lane, until: number): Promise<void> {
    if (this.busy[lane]) return;
    this.busy[lane] = true;
    try {
      for (let row = this.inbox.next(lane); row && Date.now() < until; row = this.inbox.next(lane))
        await this.work(row);
    } finally {
      this.busy[lane] = false;
    }
  }

  private async work(row: InboxRow): Promise<void> {
    const chat = this.chat();
    if (!chat) return this.inbox.finish(row.updateId); // there is no bot any more that could answer
    this.inbox.begin(row.updateId);
    const stop = new AbortController();
    if (row.lane === "turn") this.stopping = stop;
    let failure: unknown = null;
    try {
      await this.answer(chat, row, stop.signal);
    } catch (error) {
      failure = error;
    }
    if (row.lane === "turn") this.stopping = null;
    const log = chat.deps.log.with({
      chat_id: chat.chatId,
      update_id: row.updateId,
      request_id: row.requestId,
    });
    if (failure !== null) return this.afterFailure(chat, row, { error: failure, log });
    this.inbox.finish(row.updateId);
    const took = { attempt: row.attempts + 1, since_arrival_ms: Date.now() - row.receivedAt };
    log.info("telegram_update_done", { lane: row.lane, ...took });
  }

  private async answer(chat: ChatParts, row: InboxRow, stop: AbortSignal): Promise<void> {
    const bot = await knownIdentity(chat);
    if (row.attempts < MOST_ATTEMPTS) await processUpdate(chat, row, bot, stop);
    else if (row.attempts < HOPELESS_ATTEMPTS) await apologize(chat, row, bot);
    // Whoever writes to the bot has not blocked it.
    if (row.lane === "turn" && chat.settings.get("blocked")) await chat.setBlocked(false);
  }

  private async afterFailure(
    chat: ChatParts,
    row: InboxRow,
    { error, log }: { error: unknown; log: Logger },
  ): Promise<void> {
    if (error instanceof TelegramRefusal) {
      try {
        return await this.afterRefusal(chat, row, { refusal: error.refusal, log });
      } catch (thrown) {
        log.error("telegram_refusal_unhandled", { refusal: error.refusal.kind, error: thrown });
        const until = Date.now() + backoffOf(row);
        return this.inbox.postpone(row.updateId, until, { countsAsAttempt: false });
      }
    }
    const giveUp = row.attempts >= MOST_ATTEMPTS;
    const attempt = row.attempts + 1;
    log.error(giveUp ? "telegram_update_given_up" : "telegram_update_failed", { attempt, error });
    if (giveUp) return this.inbox.finish(row.updateId);
    const until = Date.now() + 250 * 2 ** row.attempts;
    this.inbox.postpone(row.updateId, until, { countsAsAttempt: true });
  }

  private async afterRefusal(
    chat: ChatParts,
    row: InboxRow,
    { refusal, log }: { refusal: Refusal; log: Logger },
  ): Promise<void> {
    switch (refusal.kind) {
      case "unreachable":
        return chat.setBlocked(true);
      case "moved":
        return chat.moveTo(refusal.to);
      case "later": {
        if (Date.now() - row.receivedAt > PATIENCE_MS) {
          log.error("telegram_update_expired", { why: refusal.why });
          return this.inbox.finish(row.updateId);
        }
        log.warn("telegram_update_postponed", { why: refusal.why });
        const until = Math.max(refusal.at, Date.now() + backoffOf(row));
        return this.inbox.postpone(row.updateId, until, { countsAsAttempt: false });
      }
      case "refused":
        log.error("telegram_refused_answer", { why: refusal.why });
        if (row.attempts >= MOST_ATTEMPTS) return this.inbox.finish(row.updateId);
        return this.inbox.postpone(row.updateId, Date.now(), { countsAsAttempt: true });
    }
  }
}

/** Longer the longer it has been tried, up to a minute. */
function backoffOf(row: InboxRow): number {
  return Math.min(60_000, Math.max(500, (Date.now() - row.receivedAt) / 4));
}

async function knownIdentity(chat: ChatParts): Promise<BotIdentity> {
  try {
    return await identify(chat.telegram, chat.settings, Date.now());
  } catch (error) {
    const at = Date.now() + 1_000;
    throw new TelegramRefusal({ kind: "later", at, why: "getMe failed" }, error);
  }
}
