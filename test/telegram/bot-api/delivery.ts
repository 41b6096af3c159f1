/** An update as it goes over the wire. */
export type RawUpdate = { update_id: number } & Record<string, unknown>;

export interface DeliveryAttempt {
  updateId: number;
  at: number;
  /** 0 where there was no answer. */
  status: number;
  durationMs: number;
}

export interface Webhook {
  url: string;
  secretToken: string | undefined;
  allowedUpdates: string[] | undefined;
  maxConnections: number;
}

const KINDS = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "business_connection",
  "business_message",
  "edited_business_message",
  "deleted_business_messages",
  "guest_message",
  "stopped_message_generation",
  "message_reaction",
  "message_reaction_count",
  "inline_query",
  "chosen_inline_result",
  "callback_query",
  "shipping_query",
  "pre_checkout_query",
  "purchased_paid_media",
  "poll",
  "poll_answer",
  "my_chat_member",
  "chat_member",
  "chat_join_request",
  "chat_boost",
  "removed_chat_boost",
] as const;

const NOT_BY_DEFAULT = new Set(["chat_member", "message_reaction", "message_reaction_count"]);

/** Telegram drops names that it does not know, without a word. */
export function knownUpdateKinds(names: unknown): string[] | undefined {
  if (!Array.isArray(names) || names.length === 0) return undefined;
  return names.filter((name): name is string => KINDS.some((kind) => kind === name));
}

function kindOf(update: RawUpdate): string {
  return Object.keys(update).find((key) => key !== "update_id") ?? "unknown";
}

function chatIdIn(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { chat, message, from, user } = value as Record<string, unknown>; // an object, checked above
  for (const holder of [chat, message, from, user]) {
    if (typeof holder !== "object" || holder === null) continue;
    if ("chat" in holder) return chatIdIn(holder);
    if ("id" in holder && typeof holder.id === "number") return holder.id;
  }
  return undefined;
}

/** Messages and edits of a chat share a queue; the callbacks of a user are a queue of their own, and so are other kinds. */
function queueOf(update: RawUpdate): string {
  const kind = kindOf(update);
  const body = update[kind];
  if (kind === "callback_query") {
    const from =
      typeof body === "object" && body !== null && "from" in body ? body.from : undefined;
    return `callback:${chatIdIn({ from })}`;
  }
  return `chat:${chatIdIn(body)}`;
}

export interface DeliveryOptions {
  /** Multiplies Telegram's waits between retries (0, 2, 4, 8 … up to 60 s). */
  backoffScale: number;
  timeoutMs: number;
}

/**
 * Delivers updates as Telegram does: in order within a queue, queues side by side, again after anything but a 2xx,
 * under the same update_id, with the secret in its header. Without a webhook updates wait for getUpdates.
 */
export class Delivery {
  webhook: Webhook | undefined;
  readonly attempts: DeliveryAttempt[] = [];
  readonly waiting: RawUpdate[] = [];
  lastError: { date: number; message: string } | undefined;
  readonly #options: DeliveryOptions;
  readonly #queues = new Map<string, RawUpdate[]>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #nextUpdateId = 700_000_000 + Math.floor(Math.random() * 1_000_000);
  #listeners: (() => void)[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  newUpdateId(): number {
    return this.#nextUpdateId++;
  }

  /** Updates that were not yet taken. */
  get pending(): number {
    return (
      this.waiting.length + [...this.#queues.values()].reduce((sum, queue) => sum + queue.length, 0)
    );
  }

  push(update: RawUpdate): void {
    const allowed = this.webhook?.allowedUpdates;
    const kind = kindOf(update);
    if (allowed ? !allowed.includes(kind) : NOT_BY_DEFAULT.has(kind)) return;
    if (!this.webhook) {
      this.waiting.push(update);
      for (const wake of this.#listeners.splice(0)) wake();
      return;
    }
    this.#enqueue(update);
  }

  setWebhook(webhook: Webhook | undefined): void {
    this.webhook = webhook;
    if (webhook) for (const update of this.waiting.splice(0)) this.#enqueue(update);
  }

  /** Delivers one update by itself, past every queue; for tests of duplicates and of shuffled deliveries. */
  async deliverOnce(update: RawUpdate): Promise<number> {
    return (await this.#post(update)).status;
  }

  /** Resolves when an update came, or when the time is over. */
  async waitForUpdate(timeoutMs: number): Promise<void> {
    if (this.waiting.length > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#listeners.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Resolves when every queue is empty. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const wake of this.#listeners.splice(0)) wake();
    await this.settled();
  }

  #enqueue(update: RawUpdate): void {
    const name = queueOf(update);
    const queue = this.#queues.get(name);
    if (queue) {
      queue.push(update);
      return;
    }
    this.#queues.set(name, [update]);
    const run = this.#drain(name).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #drain(name: string): Promise<void> {
    const queue = this.#queues.get(name) ?? [];
    for (let update = queue[0]; update && !this.#stopping.signal.aborted; update = queue[0]) {
      await this.#deliver(update);
      queue.shift();
    }
    this.#queues.delete(name);
  }

  async #deliver(update: RawUpdate): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted; failures++) {
      const { status, retryAfterMs } = await this.#post(update);
      if (status >= 200 && status < 300) return;
      const backoff =
        failures === 0 ? 0 : Math.min(60_000, 1000 * 2 ** failures) * this.#options.backoffScale;
      await this.#pause(Math.max(backoff, retryAfterMs));
    }
  }

  async #post(update: RawUpdate): Promise<{ status: number; retryAfterMs: number }> {
    const webhook = this.webhook;
    const at = Date.now();
    let status = 0;
    let retryAfterMs = 0;
    if (webhook) {
      try {
        const answer = await fetch(webhook.url, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            ...(webhook.secretToken === undefined
              ? {}
              : { "x-telegram-bot-api-secret-token": webhook.secretToken }),
          },
          body: JSON.stringify(update),
          signal: AbortSignal.any([
            AbortSignal.timeout(this.#options.timeoutMs),
            this.#stopping.signal,
          ]),
        });
        await answer.arrayBuffer();
        status = answer.status;
        retryAfterMs =
          Number(answer.headers.get("retry-after") ?? 0) * 1000 * this.#options.backoffScale;
      } catch (error) {
        this.lastError = {
          date: Math.floor(at / 1000),
          message: error instanceof Error ? error.message : String(error),
        };
      }
    }
    if (status >= 400)
      this.lastError = {
        date: Math.floor(at / 1000),
        message: `Wrong response from the webhook: ${status}`,
      };
    this.attempts.push({ updateId: update.update_id, at, status, durationMs: Date.now() - at });
    return { status, retryAfterMs };
  }

  #pause(ms: number): Promise<void> {
    if (ms <= 0) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#stopping.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#stopping.signal.addEventListener("abort", done);
    });
  }
}
