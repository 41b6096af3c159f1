import { type Api, GrammyError, HttpError, InputFile, InputMediaBuilder } from "grammy";
import type { InlineKeyboardMarkup } from "grammy/types";
import type { FileMessage, Outgoing } from "../text/answer-messages.ts";
import type { FormattedText } from "../text/formatted-text.ts";
import type { SendPace } from "./send-pace.ts";

/** Where an answer goes. */
export interface Target {
  chatId: number;
  threadId: number | null;
  /** The message that is answered; shown as a reply in groups. */
  replyTo: number | null;
}

/** Why Telegram did not take a message, as far as that decides what happens next. */
export type Refusal =
  /** The bot was blocked, kicked or the account is gone. */
  | { kind: "unreachable" }
  | { kind: "moved"; to: number }
  /** Worth another try at that time. */
  | { kind: "later"; at: number; why: string }
  /** Telegram will never take this. */
  | { kind: "refused"; why: string };

export class TelegramRefusal extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, cause: unknown) {
    super(`Telegram: ${refusal.kind}`, { cause });
    this.name = "TelegramRefusal";
    this.refusal = refusal;
  }
}

/** grammY writes a name as it is into the part's header, where it would end at its first space. */
const quotedName = (name: string) => `"${name.replaceAll(/["\\\r\n]/g, "_")}"`;

/** A longer wait than this is left to the alarm. */
const LONGEST_WAIT_MS = 30_000;
const TROUBLE_PAUSE_MS = 2_000;

export interface SenderParts {
  api: Api;
  pace: SendPace;
  now(): number;
  /** Told when Telegram wants a pause, so that it outlives a restart. */
  onPause(until: number): void;
}

/** Sends to one chat, at Telegram's pace, and turns its errors into what to do about them. */
export class Sender {
  private readonly parts: SenderParts;

  constructor(parts: SenderParts) {
    this.parts = parts;
  }

  /** Sends a message and returns its id. @throws TelegramRefusal */
  send(target: Target, message: Outgoing, keyboard?: InlineKeyboardMarkup): Promise<number> {
    const options = {
      ...(target.threadId === null ? {} : { message_thread_id: target.threadId }),
      ...(target.replyTo === null
        ? {}
        : { reply_parameters: { message_id: target.replyTo, allow_sending_without_reply: true } }),
      ...(keyboard ? { reply_markup: keyboard } : {}),
    };
    if (message.kind !== "text") {
      const bytes =
        message.kind === "file" ? message.bytes : new TextEncoder().encode(message.text);
      const file = new InputFile(bytes, quotedName(message.name));
      return this.call(
        async () =>
          (
            await this.parts.api.sendDocument(target.chatId, file, {
              ...options,
              caption: message.caption,
            })
          ).message_id,
      );
    }
    const send = ({ text, entities }: FormattedText) =>
      this.call(
        async () =>
          (
            await this.parts.api.sendMessage(target.chatId, text, {
              ...options,
              ...withEntities(entities),
              ...NO_PREVIEW,
            })
          ).message_id,
      );
    return this.orPlain(message.content, send);
  }

  /** Changes a message. @returns `gone` when it is no longer there @throws TelegramRefusal */
  async edit(
    chatId: number,
    messageId: number,
    content: FormattedText,
    keyboard?: InlineKeyboardMarkup,
  ): Promise<"edited" | "gone"> {
    const edit = ({ text, entities }: FormattedText) =>
      this.call(() =>
        this.parts.api.editMessageText(chatId, messageId, text, {
          ...withEntities(entities),
          ...NO_PREVIEW,
          ...(keyboard ? { reply_markup: keyboard } : {}),
        }),
      );
    try {
      await this.orPlain(content, edit);
    } catch (error) {
      const why =
        error instanceof TelegramRefusal && error.refusal.kind === "refused"
          ? error.refusal.why
          : null;
      if (why?.includes("message is not modified")) return "edited";
      if (why && /message to edit not found|message can't be edited|MESSAGE_ID_INVALID/.test(why))
        return "gone";
      throw error;
    }
    return "edited";
  }

  /** Lets a message become a file. @returns `gone` where it cannot @throws TelegramRefusal */
  async editToFile(
    chatId: number,
    messageId: number,
    file: FileMessage,
  ): Promise<"edited" | "gone"> {
    const { caption } = file;
    const media = () =>
      InputMediaBuilder.document(new InputFile(file.bytes, quotedName(file.name)), { caption });
    try {
      await this.call(() => this.parts.api.editMessageMedia(chatId, messageId, media()));
    } catch (error) {
      const refusal = error instanceof TelegramRefusal ? error.refusal : null;
      if (refusal?.kind !== "refused") throw error;
      return refusal.why.includes("message is not modified") ? "edited" : "gone";
    }
    return "edited";
  }

  /**
   * Shows how far an answer has come, if it can be shown right now. A view that is skipped or refused is no loss.
   * @returns whether it is shown
   */
  async show(
    chatId: number,
    messageId: number,
    text: string,
    keyboard?: InlineKeyboardMarkup,
  ): Promise<boolean> {
    if (!this.parts.pace.ready) return false;
    const edit = () =>
      this.parts.api.editMessageText(chatId, messageId, text, {
        ...NO_PREVIEW,
        ...(keyboard ? { reply_markup: keyboard } : {}),
      });
    try {
      await this.parts.pace.run(edit);
      return true;
    } catch (error) {
      const refusal = this.refusalOf(error);
      if (refusal.kind === "unreachable" || refusal.kind === "moved")
        throw new TelegramRefusal(refusal, error);
      return false;
    }
  }

  /** Confirms a tap on a button. One that is too old to be confirmed is let go. */
  async answerCallback(id: string, text?: string, alert = false): Promise<void> {
    await this.parts.api
      .answerCallbackQuery(id, text === undefined ? {} : { text, show_alert: alert })
      .catch(() => undefined);
  }

  /** Telegram refuses formatting that it cannot parse; the text itself still arrives. */
  private async orPlain<T>(
    content: FormattedText,
    send: (content: FormattedText) => Promise<T>,
  ): Promise<T> {
    try {
      return await send(content);
    } catch (error) {
      const refused =
        error instanceof TelegramRefusal &&
        error.refusal.kind === "refused" &&
        /can't parse|entit/i.test(error.refusal.why);
      if (!refused || content.entities.length === 0) throw error;
      return send({ text: content.text, entities: [] });
    }
  }

  /** Calls at Telegram's pace, and once more after a short pause that it asks for. */
  private async call<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      if (this.parts.pace.delay > LONGEST_WAIT_MS)
        throw new TelegramRefusal(
          { kind: "later", at: this.parts.now() + this.parts.pace.delay, why: "paused" },
          null,
        );
      try {
        return await this.parts.pace.run(work);
      } catch (error) {
        const refusal = this.refusalOf(error);
        const limited = error instanceof GrammyError && error.error_code === 429;
        if (!limited || attempt >= 3) throw new TelegramRefusal(refusal, error);
      }
    }
  }

  private refusalOf(error: unknown): Refusal {
    const later = (ms: number, why: string): Refusal => ({
      kind: "later",
      at: this.parts.now() + ms,
      why,
    });
    if (error instanceof TelegramRefusal) return error.refusal;
    if (error instanceof HttpError) return later(TROUBLE_PAUSE_MS, "unreachable network");
    if (!(error instanceof GrammyError)) throw error;
    const { error_code: code, description, parameters } = error;
    if (code === 429) {
      const ms = (parameters.retry_after ?? 1) * 1000;
      this.parts.pace.pause(ms);
      this.parts.onPause(this.parts.now() + ms);
      return later(ms, description);
    }
    if (parameters.migrate_to_chat_id !== undefined)
      return { kind: "moved", to: parameters.migrate_to_chat_id };
    if (
      code === 403 ||
      /chat not found|user is deactivated|bot was kicked|have no rights to send|not enough rights|CHAT_WRITE_FORBIDDEN/i.test(
        description,
      )
    )
      return { kind: "unreachable" };
    if (code >= 500 || code === 401 || code === 404) return later(TROUBLE_PAUSE_MS, description);
    return { kind: "refused", why: description };
  }
}

const NO_PREVIEW = { link_preview_options: { is_disabled: true } };
const withEntities = (entities: FormattedText["entities"]) =>
  entities.length === 0 ? {} : { entities };
