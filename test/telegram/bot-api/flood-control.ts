import { BotApiError } from "./bot-api-error.ts";
import type { StoredChat } from "./world.ts";

export interface FloodLimits {
  /** Messages and edits that one chat may get at once before the steady rate holds. */
  burst: number;
  /** The steady rate of one chat. */
  perSecond: number;
  /** Messages and edits in any 60 seconds of one group. */
  groupPerMinute: number;
}

/** About what Telegram documents: a message a second in a chat, twenty a minute in a group. Edits count. */
export const USUAL_LIMITS: FloodLimits = { burst: 1, perSecond: 1, groupPerMinute: 20 };

interface ChatBudget {
  tokens: number;
  refilledAt: number;
  accepted: number[];
  bannedUntil: number;
}

const TOLERANCE_MS = 40; // timers of a busy test machine

/** Refuses what comes too fast, and goes on refusing until `retry_after` is over, as Telegram does. */
export class FloodControl {
  limits: FloodLimits | null;
  readonly #budgets = new Map<number, ChatBudget>();

  constructor(limits: FloodLimits | null) {
    this.limits = limits;
  }

  /** Refuses everything in this chat for some time, whatever its rate is. */
  ban(chatId: number, seconds: number): void {
    this.#budget(chatId).bannedUntil = Date.now() + seconds * 1000;
  }

  /** @throws BotApiError 429 */
  admit(chat: StoredChat): void {
    const now = Date.now();
    const budget = this.#budget(chat.id);
    if (now < budget.bannedUntil) throw tooMany(budget.bannedUntil - now);
    if (!this.limits) return;
    const wait = Math.max(
      this.#rateWait(budget, this.limits, now),
      chat.type === "private" ? 0 : groupWait(budget, this.limits, now),
    );
    if (wait > TOLERANCE_MS) {
      const seconds = Math.ceil(wait / 1000);
      budget.bannedUntil = now + seconds * 1000;
      throw tooMany(seconds * 1000);
    }
    budget.tokens -= 1;
    budget.accepted.push(now);
  }

  #rateWait(budget: ChatBudget, limits: FloodLimits, now: number): number {
    const refill = ((now - budget.refilledAt) / 1000) * limits.perSecond;
    budget.tokens = Math.min(limits.burst, budget.tokens + refill);
    budget.refilledAt = now;
    return budget.tokens >= 1 ? 0 : ((1 - budget.tokens) / limits.perSecond) * 1000;
  }

  #budget(chatId: number): ChatBudget {
    let budget = this.#budgets.get(chatId);
    if (!budget) {
      budget = {
        tokens: this.limits?.burst ?? 1,
        refilledAt: Date.now(),
        accepted: [],
        bannedUntil: 0,
      };
      this.#budgets.set(chatId, budget);
    }
    return budget;
  }
}

function groupWait(budget: ChatBudget, limits: FloodLimits, now: number): number {
  budget.accepted = budget.accepted.filter((at) => now - at < 60_000);
  const oldestThatCounts = budget.accepted.at(-limits.groupPerMinute);
  return oldestThatCounts === undefined ? 0 : oldestThatCounts + 60_000 - now;
}

function tooMany(waitMs: number): BotApiError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new BotApiError(429, `Too Many Requests: retry after ${seconds}`, {
    retry_after: seconds,
  });
}
