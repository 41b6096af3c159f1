import type { InlineKeyboardMarkup } from "grammy/types";
import type { FileMessage, Outgoing } from "../text/answer-messages.ts";
import { plain } from "../text/formatted-text.ts";
import { liveView, PLACEHOLDER } from "../text/live-view.ts";
import type { Inbox, InboxRow } from "./inbox.ts";
import type { Sender, Target } from "./sender.ts";

interface ReplyParts {
  row: InboxRow;
  inbox: Inbox;
  sender: Sender;
  target: Target;
}

/**
 * The one answer to one update. Telegram has no idempotent send, so each message's id is stored as soon as Telegram
 * tells it, and from then on that message is only edited: work that is done again after a crash ends in the same
 * messages. Between Telegram's taking a message and the storing of its id lies the one moment in which a crash leaves
 * a message behind that nobody knows of; at that moment it is a placeholder or a short answer.
 */
export class Reply {
  private readonly parts: ReplyParts;
  private readonly sender: Sender;
  private readonly target: Target;
  /** Of all messages of the answer. */
  private readonly ids: number[];
  /** How many of them come before these. */
  private readonly before: number;
  private shown = "";

  constructor(parts: ReplyParts, ids: number[] = [...parts.row.messageIds], before = 0) {
    this.parts = parts;
    this.sender = parts.sender;
    this.target = parts.target;
    this.ids = ids;
    this.before = before;
  }

  /** The part of the answer that stands below its first messages, so many, which have been sent. */
  below(count: number): Reply {
    return new Reply(this.parts, this.ids, this.before + count);
  }

  /** Whether Telegram has the message at this place. */
  has(index: number): boolean {
    return this.idAt(index) !== undefined;
  }

  /** Makes sure that there is a message to edit. @throws TelegramRefusal */
  async begin(keyboard?: InlineKeyboardMarkup): Promise<void> {
    if (this.has(0)) return;
    this.keep(
      0,
      await this.sender.send(this.target, { kind: "text", content: plain(PLACEHOLDER) }, keyboard),
    );
    this.shown = PLACEHOLDER;
  }

  /** Shows how far the answer has come; does nothing when it is too early for another edit. @throws TelegramRefusal */
  async show(markdown: string, keyboard?: InlineKeyboardMarkup): Promise<void> {
    const id = this.idAt(0);
    const view = liveView(markdown);
    if (id === undefined || view === this.shown) return;
    if (await this.sender.show(this.target.chatId, id, view, keyboard)) this.shown = view;
  }

  /** Brings the messages of the answer. Those that Telegram has already are not sent again. @throws TelegramRefusal */
  async finish(messages: Outgoing[], keyboard?: InlineKeyboardMarkup): Promise<void> {
    for (const [index, message] of messages.entries()) {
      const id = this.idAt(index);
      if (id === undefined)
        this.keep(
          index,
          await this.sender.send(
            index === 0 ? this.target : { ...this.target, replyTo: null },
            message,
            keyboard,
          ),
        );
      else if (index === 0 && message.kind === "text")
        await this.replaceFirst(id, message, keyboard);
    }
  }

  /** Lets the message at a place become a file, or sends it where there is none. @throws TelegramRefusal */
  async finishWithFile(index: number, file: FileMessage): Promise<void> {
    const id = this.idAt(index);
    const outcome =
      id === undefined ? "gone" : await this.sender.editToFile(this.target.chatId, id, file);
    if (outcome === "gone") this.keep(index, await this.sender.send(this.target, file));
  }

  /** Puts the answer in place of the placeholder, or sends it where somebody deleted that. */
  private async replaceFirst(
    id: number,
    message: Outgoing & { kind: "text" },
    keyboard?: InlineKeyboardMarkup,
  ): Promise<void> {
    const outcome = await this.sender.edit(this.target.chatId, id, message.content, keyboard);
    if (outcome === "gone") this.keep(0, await this.sender.send(this.target, message, keyboard));
  }

  private idAt(index: number): number | undefined {
    return this.ids[this.before + index];
  }

  private keep(index: number, id: number): void {
    const { inbox, row } = this.parts;
    this.ids[this.before + index] = id;
    inbox.saveMessageIds(row.updateId, this.ids);
  }
}
