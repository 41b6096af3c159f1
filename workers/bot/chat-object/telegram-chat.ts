import { DurableObject } from "cloudflare:workers";
import type { Api } from "grammy";
import { AppError } from "#core/kernel/errors.ts";
import { newId } from "#core/kernel/ids.ts";
import { listLinkedChats } from "#core/telegram/list-linked-chats.ts";
import { moveLink } from "#core/telegram/move-link.ts";
import { setChatBlocked } from "#core/telegram/set-chat-blocked.ts";
import { type BotDeps, chatObject, makeDeps } from "../deps.ts";
import { languageOf, messagesIn } from "../locales/index.ts";
import type { BotIdentity } from "../telegram/addressing.ts";
import { plain } from "../text/formatted-text.ts";
import { type Broadcast, Broadcasts, STEP_MS } from "./broadcasts.ts";
import { ChatSettings } from "./chat-settings.ts";
import { type Delivery, Inbox, type InboxRow, type Lane, MOST_WAITING } from "./inbox.ts";
import { type IfUnknown, Outbox, type OutboxRow, type OutgoingNotice } from "./outbox.ts";
import { apologize, type ChatParts, identify, processUpdate } from "./process-update.ts";
import { GROUP_GAP_MS, PRIVATE_GAP_MS, SendPace } from "./send-pace.ts";
import { type Refusal, Sender, TelegramRefusal } from "./sender.ts";
import { sqlOf } from "./durable-sql.ts";

/** An alarm may run for 15 minutes; after this long it begins nothing new and rings again. */
const ALARM_MS = 5 * 60_000;
/** Attempts that ended in a crash or an unforeseen error; then the user is told. */
const MOST_ATTEMPTS = 3;
/** Beyond these even telling the user crashes. */
const HOPELESS_ATTEMPTS = 6;
/** For so long an answer is tried that Telegram or the network does not take. */
const PATIENCE_MS = 6 * 3_600_000;
/** With waits of up to a minute between them. */
const MOST_NOTICE_ATTEMPTS = 50;
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
  private readonly deps: BotDeps = makeDeps(this.env);
  private chat: ChatParts | null = null;
  private readonly busy: Record<Lane | "outbox", boolean> = {
    turn: false,
    urgent: false,
    outbox: false,
  };
  private recovered = false;
  /** Whether the alarm is at work; it cannot ring again until it ends. */
  private ringing = false;
  /** Ends the answer in progress. */
  private stopping: AbortController | null = null;

  /** Keeps an update. Once this returns, it will be answered. @returns who the bot is, where that is known */
  async receive(chatId: number, delivery: Delivery): Promise<BotIdentity | null> {
    const taken = this.inbox.accept(delivery);
    this.settings.set("chatId", chatId);
    if (taken === "full") this.sayFull(delivery.requestId);
    if (taken !== "duplicate") await this.ring(Date.now());
    if (taken === "full") this.besideAlarm((until) => this.drainOutbox(until));
    if (taken === "taken" && delivery.lane === "urgent")
      this.besideAlarm((until) => this.drain("urgent", until));
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
    this.besideAlarm((until) => this.drainOutbox(until));
    return true;
  }

  /** Moves the link, the settings and all that waits to the supergroup that this chat became. Doing it again changes nothing. */
  async moveTo(chatId: number, to: number): Promise<void> {
    await moveLink(this.deps.context(newId("request")), { from: chatId, to });
    const state: MovedState = {
      settings: this.settings.moving(),
      inbox: this.inbox.all(),
      outbox: this.outbox.all(),
    };
    await chatObject(this.deps, to).adopt(to, state);
    this.settings.set("movedTo", to);
    this.inbox.clear();
    this.outbox.drop();
  }

  /** Takes what a moved chat brings. */
  async adopt(chatId: number, state: MovedState): Promise<void> {
    this.settings.set("chatId", chatId);
    this.settings.adopt(state.settings);
    this.settings.set("link", null);
    this.inbox.adopt(state.inbox);
    for (const { key, text, ifUnknown } of state.outbox) this.outbox.add(key, text, ifUnknown);
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
        this.drain("turn", until),
        this.drain("urgent", until),
        this.drainOutbox(until),
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

  /** Works through one lane until it is empty, has to wait, or the time is over. */
  private async drain(lane: Lane, until: number): Promise<void> {
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
    const chat = this.chatParts();
    if (!chat) return this.inbox.finish(row.updateId); // there is no bot any more that could answer
    this.inbox.begin(row.updateId);
    const stop = new AbortController();
    if (row.lane === "turn") this.stopping = stop;
    try {
      const bot = await this.identify(chat);
      if (row.attempts < MOST_ATTEMPTS) await processUpdate(chat, row, bot, stop.signal);
      else if (row.attempts < HOPELESS_ATTEMPTS) await apologize(chat, row, bot);
      await this.noteReachable(row);
      this.inbox.finish(row.updateId);
    } catch (error) {
      await this.afterFailure(chat, row, error);
    } finally {
      if (row.lane === "turn") this.stopping = null;
    }
  }

  private async afterFailure(chat: ChatParts, row: InboxRow, error: unknown): Promise<void> {
    const refusal = error instanceof TelegramRefusal ? error.refusal : null;
    const log = this.deps.log.with({
      chat_id: chat.chatId,
      update_id: row.updateId,
      request_id: row.requestId,
    });
    if (refusal) return this.afterRefusal(chat, row, refusal);
    const giveUp = row.attempts >= MOST_ATTEMPTS;
    log.error(giveUp ? "telegram_update_given_up" : "telegram_update_failed", {
      attempt: row.attempts + 1,
      error,
    });
    if (giveUp) this.inbox.finish(row.updateId);
    else
      this.inbox.postpone(row.updateId, Date.now() + 250 * 2 ** row.attempts, {
        countsAsAttempt: true,
      });
  }

  private async afterRefusal(chat: ChatParts, row: InboxRow, refusal: Refusal): Promise<void> {
    const log = this.deps.log.with({
      chat_id: chat.chatId,
      update_id: row.updateId,
      request_id: row.requestId,
    });
    switch (refusal.kind) {
      case "unreachable":
        return this.setBlocked(true);
      case "moved":
        return this.moveTo(chat.chatId, refusal.to);
      case "later": {
        const age = Date.now() - row.receivedAt;
        if (age > PATIENCE_MS) {
          log.error("telegram_update_expired", { why: refusal.why });
          return this.inbox.finish(row.updateId);
        }
        const backoff = Math.min(60_000, Math.max(500, age / 4));
        return this.inbox.postpone(row.updateId, Math.max(refusal.at, Date.now() + backoff), {
          countsAsAttempt: false,
        });
      }
      case "refused":
        log.error("telegram_refused_answer", { why: refusal.why });
        return row.attempts >= MOST_ATTEMPTS
          ? this.inbox.finish(row.updateId)
          : this.inbox.postpone(row.updateId, Date.now(), { countsAsAttempt: true });
    }
  }

  private async drainOutbox(until: number): Promise<void> {
    const chat = this.chatParts();
    if (this.busy.outbox || !chat) return;
    this.busy.outbox = true;
    if (!this.recovered) this.outbox.recover();
    this.recovered = true;
    try {
      for (let row = this.outbox.next(); row && Date.now() < until; row = this.outbox.next())
        await this.sendNotice(chat, row);
    } finally {
      this.busy.outbox = false;
    }
  }

  private async sendNotice(chat: ChatParts, row: OutboxRow): Promise<void> {
    try {
      this.outbox.begin(row.key);
      await chat.sender.send(
        { chatId: chat.chatId, threadId: null, replyTo: null },
        { kind: "text", content: plain(row.text) },
      );
      this.outbox.done(row.key);
    } catch (error) {
      const refusal: Refusal =
        error instanceof TelegramRefusal ? error.refusal : { kind: "refused", why: String(error) };
      if (refusal.kind === "unreachable") return this.setBlocked(true);
      if (refusal.kind === "moved") return this.moveTo(chat.chatId, refusal.to);
      if (refusal.kind === "later" && row.attempts < MOST_NOTICE_ATTEMPTS) {
        return this.outbox.postpone(
          row.key,
          refusal.at + Math.min(60_000, 500 * 2 ** row.attempts),
        );
      }
      this.deps.log.error("telegram_notice_dropped", { chat_id: chat.chatId, key: row.key, error });
      this.outbox.done(row.key);
    }
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
        if (stops) this.stopping?.abort();
        return stops;
      },
      moveTo: (to) => this.moveTo(chatId, to),
      setBlocked: (blocked) => this.setBlocked(blocked),
    };
    return this.chat;
  }

  private async identify(chat: ChatParts): Promise<BotIdentity> {
    try {
      return await identify(chat.telegram, this.settings, Date.now());
    } catch (error) {
      throw new TelegramRefusal(
        { kind: "later", at: Date.now() + 1_000, why: "getMe failed" },
        error,
      );
    }
  }

  /** Whoever writes to the bot has not blocked it. */
  private async noteReachable(row: InboxRow): Promise<void> {
    if (row.lane === "turn" && this.settings.get("blocked")) await this.setBlocked(false);
  }

  private async setBlocked(blocked: boolean): Promise<void> {
    const chatId = this.settings.get("chatId");
    this.settings.set("blocked", blocked || null);
    if (blocked) {
      this.inbox.clear();
      this.outbox.drop();
      this.stopping?.abort();
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

/** Without a token there is no bot to speak of. */
export function requireTelegram(deps: BotDeps): Api {
  if (deps.telegram) return deps.telegram;
  throw new AppError("misconfigured", {
    message: "The bot is off: set TELEGRAM_BOT_TOKEN and TELEGRAM_WEBHOOK_SECRET.",
  });
}
