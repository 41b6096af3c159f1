import { DurableObject } from "cloudflare:workers";
import { newId } from "#core/kernel/ids.ts";
import { listLinkedChats } from "#core/telegram/list-linked-chats.ts";
import { moveLink } from "#core/telegram/move-link.ts";
import { setChatBlocked } from "#core/telegram/set-chat-blocked.ts";
import { type BotDeps, chatObject, depsOf } from "../deps.ts";
import { languageOf, messagesIn } from "../locales/index.ts";
import type { BotIdentity } from "../telegram/addressing.ts";
import { type Broadcast, Broadcasts, STEP_MS } from "./broadcasts.ts";
import { ChatSettings } from "./chat-settings.ts";
import { sqlOf } from "./durable-sql.ts";
import { type Delivery, Inbox, type InboxRow, MOST_WAITING } from "./inbox.ts";
import { InboxWorker } from "./inbox-worker.ts";
import type { TelegramFile } from "#core/telegram/telegram-files.ts";
import { NoticeSender } from "./notice-sender.ts";
import { type IfUnknown, Outbox, type OutgoingNotice } from "./outbox.ts";
import type { ChatParts } from "./process-update.ts";
import { GROUP_GAP_MS, PRIVATE_GAP_MS, SendPace } from "./send-pace.ts";
import { Sender } from "./sender.ts";

/** An alarm may run for 15 minutes; after this long it begins nothing new and rings again. */
const ALARM_MS = 5 * 60_000;
/** Between two words about a full queue. */
const FULL_NOTICE_MS = 30_000;

export interface MovedState {
  settings: [name: string, json: string][];
  inbox: InboxRow[];
  outbox: OutgoingNotice[];
}

/**
 * One Telegram chat, named by its id: what came in and is not answered, what has to go out, and the chat's settings.
 * The alarm answers one turn at a time; what is urgent runs beside it.
 */
export class TelegramChat extends DurableObject<BotEnv> {
  private readonly sql = sqlOf(this.ctx.storage);
  private readonly now = () => Date.now();
  private readonly inbox = new Inbox(this.sql, this.now);
  private readonly outbox = new Outbox(this.sql, this.now);
  private readonly settings = new ChatSettings(this.sql);
  private readonly broadcasts = new Broadcasts(this.sql);
  private readonly deps: BotDeps = depsOf(this.env);
  private chat: ChatParts | null = null;
  private readonly worker = new InboxWorker(this.inbox, () => this.chatParts());
  private readonly notices = new NoticeSender(this.outbox, () => this.chatParts());
  /** Whether the alarm is at work; it cannot ring again until it ends. */
  private ringing = false;

  /** Keeps an update. Once this returns, it will be answered. @returns who the bot is, where that is known */
  async receive(chatId: number, delivery: Delivery): Promise<BotIdentity | null> {
    const taken = this.inbox.accept(delivery);
    this.settings.set("chatId", chatId);
    if (taken === "full") this.sayFull(delivery.requestId);
    // Also for a duplicate: the first delivery may have died between its row and the alarm.
    if (this.inbox.wakeAt() !== null) await this.ring(Date.now());
    if (taken === "full") this.besideAlarm((until) => this.notices.drain(until));
    if (taken === "taken" && delivery.lane === "urgent")
      this.besideAlarm((until) => this.worker.drain("urgent", until));
    return this.settings.get("bot")?.identity ?? null;
  }

  /** Sends a notice when its turn has come. @param key the same key is sent once @returns whether it will be sent */
  async notify(
    chatId: number,
    key: string,
    text: string,
    ifUnknown: IfUnknown = "repeat",
  ): Promise<boolean> {
    this.settings.set("chatId", chatId);
    const movedTo = this.settings.get("movedTo");
    if (movedTo !== null)
      return chatObject(this.deps, movedTo).notify(movedTo, key, text, ifUnknown);
    if (this.settings.get("blocked") || !this.outbox.add(key, text, ifUnknown)) return false;
    await this.ring(Date.now());
    this.besideAlarm((until) => this.notices.drain(until));
    return true;
  }

  /** Sends a file of the file store when its turn has come; the same key is sent once. */
  async sendFile(
    chatId: number,
    { key, fileKey, name, caption }: TelegramFile,
  ): Promise<"taken" | "known" | "refused"> {
    this.settings.set("chatId", chatId);
    const movedTo = this.settings.get("movedTo");
    if (movedTo !== null)
      return chatObject(this.deps, movedTo).sendFile(movedTo, {
        key,
        fileKey,
        name,
        caption,
      });
    if (this.settings.get("blocked")) return "refused";
    const taken = this.outbox.add(key, caption, "repeat", { fileKey, name });
    if (!taken && !this.outbox.knows(key)) return "refused";
    // Also for one that is known: the call before may have died between its row and the alarm.
    await this.ring(Date.now());
    this.besideAlarm((until) => this.notices.drain(until));
    return taken ? "taken" : "known";
  }

  /**
   * Moves the link, the settings and what waits to the supergroup that this chat became. Doing it again changes nothing.
   * While a turn is being answered the turns stay: Telegram refuses its answer, and then they all move, in order.
   */
  async moveTo(chatId: number, to: number): Promise<void> {
    await moveLink(this.deps.context(newId("request")), { from: chatId, to });
    const state: MovedState = {
      settings: this.settings.moving(),
      inbox: this.worker.answering ? [] : this.inbox.all(),
      outbox: this.outbox.all(),
    };
    await chatObject(this.deps, to).adopt(to, state);
    this.settings.set("movedTo", to);
    // What came in meanwhile was not handed over, and follows when Telegram refuses its answer.
    for (const row of state.inbox) this.inbox.finish(row.updateId);
    for (const { key } of state.outbox) this.outbox.done(key);
  }

  /** Takes what a moved chat brings. */
  async adopt(chatId: number, state: MovedState): Promise<void> {
    this.settings.set("chatId", chatId);
    this.settings.adopt(state.settings);
    this.settings.set("chatLink", null);
    this.inbox.adopt(state.inbox);
    for (const { key, text, ifUnknown, file } of state.outbox)
      this.outbox.add(key, text, ifUnknown, file);
    await this.ring(Date.now());
  }

  /** Begins to hand a text to every linked chat. */
  async startBroadcast(broadcast: Broadcast): Promise<void> {
    this.broadcasts.start(broadcast);
    await this.ring(Date.now());
  }

  override async alarm(): Promise<void> {
    const until = Date.now() + ALARM_MS;
    this.ringing = true;
    try {
      await Promise.all([
        this.worker.drain("turn", until),
        this.worker.drain("urgent", until),
        this.notices.drain(until),
        this.stepBroadcast(),
      ]);
      this.inbox.forgetOld();
      this.outbox.forgetOld();
    } catch (error) {
      // An alarm that throws is given up on after six tries; this one must ring as long as something waits.
      this.deps.log.error("telegram_alarm_failed", { chat_id: this.settings.get("chatId"), error });
    } finally {
      this.ringing = false;
    }
    const times = [
      this.inbox.wakeAt(),
      this.outbox.wakeAt(),
      this.broadcasts.pending ? Date.now() + STEP_MS : null,
    ];
    const next = Math.min(...times.filter((time) => time !== null));
    if (next !== Infinity) await this.ring(Math.max(next, Date.now() + 10));
  }

  /** Rings at this time, or earlier where that was planned. */
  private async ring(at: number): Promise<void> {
    const planned = await this.ctx.storage.getAlarm();
    if (planned === null || planned > at) await this.ctx.storage.setAlarm(at);
  }

  /** Starts what must not wait for a long answer. Should the process die, the alarm does it: nothing here is kept in memory only. */
  private besideAlarm(work: (until: number) => Promise<void>): void {
    if (!this.ringing) return;
    const log = (error: unknown) =>
      this.deps.log.error("telegram_chat_failed", { chat_id: this.settings.get("chatId"), error });
    this.ctx.waitUntil(work(Date.now() + ALARM_MS).catch(log));
  }

  private async stepBroadcast(): Promise<void> {
    if (!this.broadcasts.pending) return;
    const context = this.deps.context(newId("request"));
    await this.broadcasts.step({
      page: (after, limit) => listLinkedChats(context, { after, limit }),
      hand: async (chatId, key, text) =>
        void (await chatObject(this.deps, chatId).notify(chatId, key, text, "skip")),
      report: async ({ id, reportTo, language, handed, failed }) => {
        const text = messagesIn(languageOf(language)).admin.broadcastDone({ handed, failed });
        await chatObject(this.deps, reportTo).notify(reportTo, `${id}:report`, text);
      },
    });
  }

  /** What answers are made with; null without a bot token. */
  private chatParts(): ChatParts | null {
    if (this.chat) return this.chat;
    const chatId = this.settings.get("chatId");
    const { telegram } = this.deps;
    if (chatId === null || telegram === null) return null;
    const pace = new SendPace(
      chatId < 0 ? GROUP_GAP_MS : PRIVATE_GAP_MS,
      undefined,
      this.settings.get("pausedUntil") ?? 0,
    );
    this.chat = {
      chatId,
      telegram,
      pace,
      deps: this.deps,
      inbox: this.inbox,
      settings: this.settings,
      sender: new Sender({
        api: telegram,
        pace,
        now: this.now,
        onPause: (until) => this.settings.set("pausedUntil", until),
      }),
      stopAnswer: (askedAt) => {
        const stops = this.inbox.requestStop(askedAt);
        if (stops) this.worker.stopTurn();
        return stops;
      },
      moveTo: (to) => this.moveTo(chatId, to),
      setBlocked: (blocked) => this.setBlocked(blocked),
    };
    return this.chat;
  }

  private async setBlocked(blocked: boolean): Promise<void> {
    const chatId = this.settings.get("chatId");
    this.settings.set("blocked", blocked || null);
    if (blocked) {
      this.inbox.clear();
      this.outbox.drop();
      this.worker.stopTurn();
    }
    if (chatId !== null)
      await setChatBlocked(this.deps.context(newId("request")), { chatId, blocked }).catch(
        (error: unknown) =>
          this.deps.log.warn("telegram_block_not_noted", { chat_id: chatId, error }),
      );
  }

  /** Tells now and then that messages are left out because too many wait. */
  private sayFull(requestId: string): void {
    if (Date.now() - (this.settings.get("toldFullAt") ?? 0) < FULL_NOTICE_MS) return;
    this.settings.set("toldFullAt", Date.now());
    const say = messagesIn(languageOf(this.settings.get("language")));
    this.outbox.add(`full:${requestId}`, say.tooManyWaiting({ most: MOST_WAITING }));
  }
}
