import { plain } from "../text/formatted-text.ts";
import type { Outbox, OutboxRow } from "./outbox.ts";
import type { ChatParts } from "./process-update.ts";
import { type Refusal, TelegramRefusal } from "./sender.ts";

/** With waits of up to a minute between them. */
const MOST_ATTEMPTS = 50;

/** Sends what is in the outbox, in order. */
export class NoticeSender {
  private readonly outbox: Outbox;
  private readonly chat: () => ChatParts | null;
  private busy = false;
  private recovered = false;

  /** @param chat what notices are sent with; null without a bot token */
  constructor(outbox: Outbox, chat: () => ChatParts | null) {
    this.outbox = outbox;
    this.chat = chat;
  }

  /** Sends until nothing waits, something has to wait, or the time is over. */
  async drain(until: number): Promise<void> {
    const chat = this.chat();
    if (this.busy || !chat) return;
    this.busy = true;
    if (!this.recovered) this.outbox.recover();
    this.recovered = true;
    try {
      for (let row = this.outbox.next(); row && Date.now() < until; row = this.outbox.next())
        await this.send(chat, row);
    } finally {
      this.busy = false;
    }
  }

  private async send(chat: ChatParts, row: OutboxRow): Promise<void> {
    const target = { chatId: chat.chatId, threadId: null, replyTo: null };
    this.outbox.begin(row.key);
    try {
      await chat.sender.send(target, { kind: "text", content: plain(row.text) });
      this.outbox.done(row.key);
    } catch (error) {
      await this.afterFailure(chat, row, error);
    }
  }

  private async afterFailure(chat: ChatParts, row: OutboxRow, error: unknown): Promise<void> {
    const refusal: Refusal =
      error instanceof TelegramRefusal ? error.refusal : { kind: "refused", why: String(error) };
    if (refusal.kind === "unreachable") return chat.setBlocked(true);
    if (refusal.kind === "moved") return chat.moveTo(refusal.to);
    if (refusal.kind === "later" && row.attempts < MOST_ATTEMPTS) {
      const backoff = Math.min(60_000, 500 * 2 ** row.attempts);
      return this.outbox.postpone(row.key, refusal.at + backoff);
    }
    chat.deps.log.error("telegram_notice_dropped", { chat_id: chat.chatId, key: row.key, error });
    this.outbox.done(row.key);
  }
}
