import type { Outgoing } from "../text/answer-messages.ts";
import { CAPTION_LIMIT, plain } from "../text/formatted-text.ts";
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
    try {
      const message = await this.messageOf(chat, row);
      if (message === null) return this.outbox.done(row.key);
      this.outbox.begin(row.key);
      await chat.sender.send(target, message);
      this.outbox.done(row.key);
    } catch (error) {
      await this.afterFailure(chat, row, error);
    }
  }

  /** Null for a file that is not there any more. @throws TelegramRefusal `later` when the file store cannot be reached */
  private async messageOf(
    chat: ChatParts,
    { key, text, file }: OutboxRow,
  ): Promise<Outgoing | null> {
    if (file === null) return { kind: "text", content: plain(text) };
    try {
      const found = await chat.deps.files.get(file.fileKey);
      if (found !== null) {
        const bytes = new Uint8Array(await new Response(found.body).arrayBuffer());
        return { kind: "file", name: file.name, bytes, caption: text.slice(0, CAPTION_LIMIT) };
      }
    } catch (error) {
      throw new TelegramRefusal({ kind: "later", at: Date.now(), why: "the file store" }, error);
    }
    chat.deps.log.error("telegram_file_gone", { chat_id: chat.chatId, key });
    return null;
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
