import type { InlineKeyboardMarkup } from "grammy/types";
import type { FileMessage, Outgoing } from "../text/answer-messages.ts";
import { plain } from "../text/formatted-text.ts";
import { liveView, PLACEHOLDER } from "../text/live-view.ts";
import type { Inbox, InboxRow } from "./inbox.ts";
import type { Sender, Target } from "./sender.ts";

/**
 * The one answer to one update. Telegram has no idempotent send, so each message's id is stored as soon as Telegram
 * tells it, and from then on that message is only edited: work that is done again after a crash ends in the same
 * messages. Between Telegram's taking a message and the storing of its id lies the one moment in which a crash leaves
 * a message behind that nobody knows of; at that moment it is a placeholder or a short answer.
 */
export class Reply {
  private readonly row: InboxRow;
  private readonly inbox: Inbox;
  private readonly sender: Sender;
  private readonly target: Target;
  private readonly ids: number[];
  private shown = "";

  constructor(parts: { row: InboxRow; inbox: Inbox; sender: Sender; target: Target }) {
    this.row = parts.row;
    this.inbox = parts.inbox;
    this.sender = parts.sender;
    this.target = parts.target;
    this.ids = [...parts.row.messageIds];
  }

  /** Makes sure that there is a message to edit. @throws TelegramRefusal */
  async begin(keyboard?: InlineKeyboardMarkup): Promise<void> {
    if (this.ids.length > 0) return;
    this.keep(
      0,
      await this.sender.send(this.target, { kind: "text", content: plain(PLACEHOLDER) }, keyboard),
    );
    this.shown = PLACEHOLDER;
  }

  /** Shows how far the answer has come; does nothing when it is too early for another edit. @throws TelegramRefusal */
  async show(markdown: string, keyboard?: InlineKeyboardMarkup): Promise<void> {
    const [id] = this.ids;
    const view = liveView(markdown);
    if (id === undefined || view === this.shown) return;
    this.shown = view;
    await this.sender.show(this.target.chatId, id, view, keyboard);
  }

  /** Brings the messages of the answer. Those that Telegram has already are not sent again. @throws TelegramRefusal */
  async finish(messages: Outgoing[], keyboard?: InlineKeyboardMarkup): Promise<void> {
    for (const [index, message] of messages.entries()) {
      const id = this.ids[index];
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

  /** Lets the answer's message become a file, or sends it where that message is gone. @throws TelegramRefusal */
  async finishWithFile(file: FileMessage): Promise<void> {
    const [id] = this.ids;
    const outcome =
      id === undefined ? "gone" : await this.sender.editToFile(this.target.chatId, id, file);
    if (outcome === "gone") this.keep(0, await this.sender.send(this.target, file));
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

  private keep(index: number, id: number): void {
    this.ids[index] = id;
    this.inbox.saveMessageIds(this.row.updateId, this.ids);
  }
}
