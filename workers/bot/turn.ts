import type { Api, Context } from "grammy";
import type { InlineKeyboardMarkup } from "grammy/types";
import type { Logger } from "#core/kernel/log.ts";
import type { Scope } from "#core/kernel/scopes.ts";
import { findGuestTeam } from "#core/telegram/find-guest-team.ts";
import { chatScopes } from "#core/telegram/chat-scopes.ts";
import { findLink, findWatchedTeam, type TelegramLink } from "#core/telegram/find-link.ts";
import type { ChatSettings } from "./chat-object/chat-settings.ts";
import type { Inbox, InboxRow } from "./chat-object/inbox.ts";
import type { Reply } from "./chat-object/reply.ts";
import type { Sender, Target } from "./chat-object/sender.ts";
import type { SendPace } from "./chat-object/send-pace.ts";
import type { BotDeps } from "./deps.ts";
import type { Language, Messages } from "./locales/index.ts";
import { SwitchyardApi } from "./switchyard/switchyard-api.ts";
import type { BotIdentity } from "./telegram/addressing.ts";
import { plain } from "./text/formatted-text.ts";

/** A link that was looked up is believed for this long. */
const LINK_KEPT_MS = 10_000;

export interface TurnParts {
  deps: BotDeps;
  telegram: Api;
  bot: BotIdentity;
  row: InboxRow;
  inbox: Inbox;
  settings: ChatSettings;
  pace: SendPace;
  sender: Sender;
  reply: Reply;
  target: Target;
  isGroup: boolean;
  /** Null for what nobody in particular sent. */
  userId: number | null;
  language: Language;
  say: Messages;
  log: Logger;
  /** Ends the answer in progress, unless it answers what came after this time. @returns whether there was one */
  stopAnswer(askedAt: number): boolean;
  /** Aborts when this turn's answer is to stop. */
  stopSignal: AbortSignal;
  /** Moves everything to another chat's object. */
  moveTo(chatId: number): Promise<void>;
  setBlocked(blocked: boolean): Promise<void>;
}

export interface LinkOfChat extends TelegramLink {
  guest: boolean;
  /** What may be asked for from this chat. */
  scopes: readonly Scope[];
}

/** What a feature has while it answers one update. */
export class Turn {
  readonly parts: TurnParts;
  readonly say: Messages;

  constructor(parts: TurnParts) {
    this.parts = parts;
    this.say = parts.say;
  }

  /** Answers with one message of ours, in plain text. */
  answer(text: string, keyboard?: InlineKeyboardMarkup): Promise<void> {
    return this.parts.reply.finish([{ kind: "text", content: plain(text) }], keyboard);
  }

  /** The conversation's place: topics have conversations of their own. */
  get sessionName(): `session:${number}` {
    return `session:${this.parts.target.threadId ?? 0}`;
  }

  /** The team that pays for this chat; null where it is not linked and guests are not let in. */
  async link(): Promise<LinkOfChat | null> {
    const { settings, deps, target, row } = this.parts;
    const kept = settings.get("chatLink");
    if (kept && Date.now() - kept.checkedAt < LINK_KEPT_MS) return kept.link;
    const context = deps.context(row.requestId);
    const found = await findLink(context, { chatId: target.chatId });
    if (!found) {
      settings.set("chatLink", null);
      if (!deps.settings.GUEST_ACCESS) return null;
      const guest = { guest: true } as const;
      return { ...(await findGuestTeam(context)), ...guest, scopes: chatScopes(guest) };
    }
    const { teamId, teamName, role } = found;
    const scopes = chatScopes({ guest: false, role });
    const link = { teamId, teamName, guest: false, scopes };
    settings.set("chatLink", { link, checkedAt: Date.now() });
    return link;
  }

  /** Says that the chat has no team to ask for, and what would change that. */
  async answerNotLinked(): Promise<void> {
    const { deps, target, row, isGroup } = this.parts;
    const watched = await findWatchedTeam(deps.context(row.requestId), { chatId: target.chatId });
    if (watched) return this.answer(this.say.viewerOnly({ team: watched.teamName }));
    return this.answer(this.say.notLinked({ isGroup }));
  }

  /** Says that a job is not for this chat, where it is not. @returns whether it was said */
  async refusesJobs({ guest, scopes }: LinkOfChat): Promise<boolean> {
    if (scopes.includes("jobs")) return false;
    await this.answer(guest ? this.say.jobs.notForGuests : this.say.errors.missing_scope);
    return true;
  }

  /** Lets the chat use this team from now on. A conversation and a choice of model belong to the team that they were for. */
  useTeam(link: TelegramLink, before: string | null): void {
    const { settings } = this.parts;
    if (before !== link.teamId) {
      settings.set(this.sessionName, null);
      settings.set("model", null);
    }
    settings.set("chatLink", null); // looked up again when it is next needed
  }

  /** Whether all changes are switched off at the moment. */
  async writesAreOff(): Promise<boolean> {
    return (await this.parts.deps.signal())?.writesOff ?? false;
  }

  /** The api Worker, acting for this user in this chat's team. */
  switchyard(link: LinkOfChat): SwitchyardApi {
    const { deps, target, userId, row } = this.parts;
    const actor = {
      teamId: link.teamId,
      endUser: `tg:${userId ?? target.chatId}`,
      chatId: target.chatId,
      scopes: link.scopes,
    };
    return new SwitchyardApi(deps.switchyard, actor, row.requestId);
  }

  /** Whether this user may change what holds for the whole chat: in a group, its administrators only. */
  async mayManageChat(ctx: Context): Promise<boolean> {
    const { isGroup, userId, telegram, target } = this.parts;
    if (!isGroup) return true;
    if (ctx.message?.sender_chat?.id === target.chatId) return true; // an administrator who writes in the group's name
    if (userId === null) return false;
    try {
      const { status } = await telegram.getChatMember(target.chatId, userId);
      return status === "creator" || status === "administrator";
    } catch (error) {
      this.parts.log.warn("telegram_member_unknown", { chat_id: target.chatId, error });
      return false;
    }
  }

  get isBotAdmin(): boolean {
    const { userId, deps } = this.parts;
    return userId !== null && deps.settings.TELEGRAM_ADMIN_IDS.includes(userId);
  }
}

export type BotContext = Context & { turn: Turn };
