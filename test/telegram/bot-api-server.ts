import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { User } from "grammy/types";
import { BotApiError } from "./bot-api/bot-api-error.ts";
import { Delivery } from "./bot-api/delivery.ts";
import type { RawUpdate } from "./bot-api/delivery.ts";
import { Faults } from "./bot-api/faults.ts";
import type { Fault } from "./bot-api/faults.ts";
import { FloodControl, USUAL_LIMITS } from "./bot-api/flood-control.ts";
import type { FloodLimits } from "./bot-api/flood-control.ts";
import { METHODS } from "./bot-api/methods.ts";
import type { MethodsContext } from "./bot-api/methods.ts";
import { Person, membership } from "./bot-api/people.ts";
import { readCall } from "./bot-api/read-call.ts";
import { World, chatObject } from "./bot-api/world.ts";
import type { StoredChat, StoredMessage } from "./bot-api/world.ts";

export interface BotApiOptions {
  token?: string;
  username?: string;
  /** `null` switches flood control off. */
  flood?: FloodLimits | null;
  /** Multiplies the waits between deliveries of an update that was refused. */
  backoffScale?: number;
  deliveryTimeoutMs?: number;
}

/** One call that the bot made, with what came of it. */
export interface BotApiCall {
  method: string;
  params: Record<string, unknown>;
  at: number;
  status: number;
  error: string | undefined;
}

const DEFAULT_TOKEN = "123456789:AAlocal-bot-token-for-tests-only-00000";

/** A Bot API server of our own that keeps Telegram's rules, and the people who use the bot. */
export class BotApi {
  readonly token: string;
  readonly bot: User & { is_bot: true };
  readonly world = new World();
  readonly delivery: Delivery;
  readonly flood: FloodControl;
  readonly calls: BotApiCall[] = [];
  /** Requests with a token that is not the bot's. */
  readonly strangers: string[] = [];
  readonly #faults = new Faults();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #nextChatId = 5000;

  constructor(options: BotApiOptions) {
    this.token = options.token ?? DEFAULT_TOKEN;
    const username = options.username ?? "switchyard_test_bot";
    this.bot = {
      id: Number(this.token.split(":")[0]),
      is_bot: true,
      first_name: "Switchyard",
      username,
    };
    this.delivery = new Delivery({
      backoffScale: options.backoffScale ?? 1,
      timeoutMs: options.deliveryTimeoutMs ?? 60_000,
    });
    this.flood = new FloodControl(options.flood === undefined ? USUAL_LIMITS : options.flood);
  }

  /** What goes into TELEGRAM_API_ROOT. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // a TCP server that listens has one
    return `http://127.0.0.1:${port}`;
  }

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
  }

  addPerson(profile: Partial<User> = {}): Person {
    const id = profile.id ?? 4_000_000 + Math.floor(Math.random() * 1e9);
    return new Person(this.world, this.delivery, this.bot, {
      id,
      is_bot: false,
      first_name: "Sara",
      ...profile,
    });
  }

  addGroup(
    options: {
      title?: string;
      forum?: boolean;
      supergroup?: boolean;
      administrators?: Person[];
    } = {},
  ): StoredChat {
    const supergroup = options.supergroup === true || options.forum === true;
    const number = this.#nextChatId++;
    return this.world.addChat({
      id: supergroup ? -1_000_000_000_000 - number : -number,
      type: supergroup ? "supergroup" : "group",
      title: options.title ?? "A group",
      forum: options.forum === true,
      administrators: new Set(options.administrators?.map((one) => one.user.id)),
    });
  }

  /** Turns a group into a supergroup: a new chat id, and a service message on either side. */
  migrate(group: StoredChat, by: Person): StoredChat {
    const supergroup = this.addGroup({
      supergroup: true,
      ...(group.title === undefined ? {} : { title: group.title }),
    });
    for (const id of group.administrators) supergroup.administrators.add(id);
    const service = (chat: StoredChat, content: Record<string, number>): RawUpdate => ({
      update_id: this.delivery.newUpdateId(),
      message: {
        message_id: this.world.newMessageId(chat),
        date: Math.floor(Date.now() / 1000),
        chat: chatObject(chat),
        from: by.user,
        ...content,
      },
    });
    const leaving = service(group, { migrate_to_chat_id: supergroup.id });
    group.migratedTo = supergroup.id;
    this.delivery.push(leaving);
    this.delivery.push(service(supergroup, { migrate_from_chat_id: group.id }));
    return supergroup;
  }

  removeFrom(group: StoredChat, by: Person): void {
    group.reachable = false;
    group.refusal = `Forbidden: bot was kicked from the ${group.type} chat`;
    this.delivery.push(
      membership(this.delivery, this.bot, {
        chat: group,
        by: by.user,
        from: "member",
        to: "kicked",
      }),
    );
  }

  /** Puts any update into its queue; gives it an update_id where it has none. */
  push(update: Record<string, unknown>): number {
    const updateId =
      typeof update["update_id"] === "number" ? update["update_id"] : this.delivery.newUpdateId();
    this.delivery.push({ ...update, update_id: updateId });
    return updateId;
  }

  fail(fault: Fault): void {
    this.#faults.plan(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** What the bot wrote into a chat and nobody deleted, oldest first. */
  answersIn(chat: StoredChat): StoredMessage[] {
    return [...chat.messages.values()].filter((message) => message.from?.id === this.bot.id);
  }

  callsOf(method: string): BotApiCall[] {
    return this.calls.filter((call) => call.method === method);
  }

  async stop(): Promise<void> {
    await this.delivery.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://local");
    const [, file, token, rest] = /^\/(file\/)?bot([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
    if (token === undefined || rest === undefined)
      return answer(response, 404, { ok: false, error_code: 404, description: "Not Found" });
    if (decodeURIComponent(token) !== this.token) {
      this.strangers.push(url.pathname);
      return answer(response, 401, { ok: false, error_code: 401, description: "Unauthorized" });
    }
    if (file) return this.#serveFile(rest, response);
    await this.#serveMethod(rest, request, url, response);
  }

  #serveFile(path: string, response: ServerResponse): void {
    const stored = [...this.world.files.values()].find((one) => one.file_path === path);
    const fault = this.#faults.take("file", undefined);
    if (!stored || fault?.status) {
      response.writeHead(fault?.status ?? 404).end("404 : File Not Found");
      return;
    }
    response
      .writeHead(200, {
        "content-type": "application/octet-stream",
        "content-length": stored.bytes.length,
      })
      .end(stored.bytes);
  }

  async #serveMethod(
    name: string,
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
  ): Promise<void> {
    const record: BotApiCall = {
      method: name,
      params: {},
      at: Date.now(),
      status: 0,
      error: undefined,
    };
    this.calls.push(record);
    try {
      const call = await readCall(request, url.searchParams);
      record.params = call.params;
      const chatId =
        call.params["chat_id"] === undefined ? undefined : Number(call.params["chat_id"]);
      const fault = this.#faults.take(name, chatId);
      if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
      if (fault?.drop === "before") {
        request.socket.destroy();
        return;
      }
      if (fault?.rawBody !== undefined) {
        record.status = fault.status ?? 502;
        response.writeHead(record.status, { "content-type": "text/html" }).end(fault.rawBody);
        return;
      }
      if (fault?.status)
        throw new BotApiError(
          fault.status,
          fault.description ?? "Internal Server Error",
          fault.parameters,
        );
      const method = METHODS.get(name.toLowerCase());
      if (!method) throw new BotApiError(404, "Not Found: method not found");
      const context: MethodsContext = {
        world: this.world,
        delivery: this.delivery,
        flood: this.flood,
        bot: this.bot,
      };
      const result = await method(context, call);
      record.status = 200;
      if (fault?.drop === "after") {
        request.socket.destroy();
        return;
      }
      answer(response, 200, { ok: true, result });
    } catch (thrown) {
      if (!(thrown instanceof BotApiError)) throw thrown;
      record.status = thrown.code;
      record.error = thrown.message;
      answer(response, thrown.code, {
        ok: false,
        error_code: thrown.code,
        description: thrown.message,
        parameters: thrown.parameters,
      });
    }
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Starts the server on a free port of 127.0.0.1. */
export async function startBotApi(
  options: BotApiOptions & { port?: number } = {},
): Promise<BotApi> {
  const api = new BotApi(options);
  await api.listen(options.port ?? 0);
  return api;
}
