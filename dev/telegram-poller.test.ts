import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startBotApi } from "#test/telegram/bot-api-server.ts";
import { startTelegramPoller, type TelegramPoller } from "./telegram-poller.ts";

const TOKEN = "123:token";
const SECRET = "the-secret";

type Answer = (body: Record<string, unknown>) => unknown;

/** A server whose answers each test scripts, for what the real rules make hard to bring about. */
class ScriptedServer {
  readonly calls: { method: string; body: Record<string, unknown>; secret: string | undefined }[] =
    [];
  readonly #answers: Record<string, Answer>;
  #server: Server | undefined;

  constructor(answers: Record<string, Answer>) {
    this.#answers = answers;
  }

  async start(): Promise<string> {
    const server = createServer((request, response) => void this.#serve(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  count(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const method = request.url?.split("/").at(-1) ?? "";
    const body = JSON.parse(text) as Record<string, unknown>; // what the poller sends
    const secret = request.headers["x-telegram-bot-api-secret-token"];
    this.calls.push({ method, body, secret: typeof secret === "string" ? secret : undefined });
    const answer = await this.#answers[method]?.(body);
    if (typeof answer === "number") response.writeHead(answer).end();
    else
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }
}

const NO_WEBHOOK = { ok: true, result: { url: "" } };
/** A long poll without news, cut short. */
const nothing = (): Promise<unknown> =>
  new Promise((resolve) => setTimeout(() => resolve({ ok: true, result: [] }), 50));

describe("the Telegram poller", () => {
  let folder: string;
  let offsetFile: string;
  let said: string[];
  let ends: (() => Promise<void>)[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "switchyard-poller-"));
    offsetFile = path.join(folder, "offset.json");
    said = [];
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  async function server(
    answers: Record<string, Answer>,
  ): Promise<{ scripted: ScriptedServer; url: string }> {
    const scripted = new ScriptedServer(answers);
    const url = await scripted.start();
    ends.push(() => scripted.stop());
    return { scripted, url };
  }

  function poll(apiRoot: string, webhook: string, token = TOKEN): TelegramPoller {
    const poller = startTelegramPoller({
      token,
      apiRoot,
      webhookUrl: `${webhook}/webhook`,
      webhookSecret: SECRET,
      offsetFile,
      say: (sentence) => void said.push(sentence),
    });
    ends.push(() => poller.stop());
    return poller;
  }

  const savedOffset = (): string => readFileSync(offsetFile, "utf8").trim();

  it("hands over what people write, in order, with the secret, against a server that keeps Telegram's rules", async () => {
    const botApi = await startBotApi();
    ends.push(() => botApi.stop());
    const { scripted: webhook, url } = await server({ webhook: () => 200 });
    const person = botApi.addPerson();
    poll(botApi.url, url, botApi.token);
    for (const text of ["one", "two", "three"]) person.says(text);
    await vi.waitFor(() => expect(webhook.calls).toHaveLength(3), { timeout: 20_000 });
    const texts = webhook.calls.map(
      ({ body }) => (body as { message: { text: string } }).message.text,
    );
    expect(texts).toEqual(["one", "two", "three"]);
    expect(webhook.calls.every(({ secret }) => secret === SECRET)).toBe(true);
    expect(botApi.calls.filter((call) => call.method === "deleteWebhook")).toEqual([]);
  });

  it("keeps an update until the webhook has said 200, and loses none by a new start", async () => {
    const updates = [{ update_id: 7 }, { update_id: 8 }];
    const { scripted: telegram, url: api } = await server({
      getWebhookInfo: () => NO_WEBHOOK,
      getUpdates: ({ offset }) => {
        const left = updates.filter((update) => update.update_id >= Number(offset ?? 0));
        return left.length > 0 ? { ok: true, result: left } : nothing();
      },
    });
    let status = 503;
    const { scripted: webhook, url } = await server({
      webhook: ({ update_id: id }) => (id === 8 ? status : 200),
    });
    const first = poll(api, url);
    await vi.waitFor(
      () =>
        expect(webhook.calls.filter(({ body }) => body["update_id"] === 8).length).toBeGreaterThan(
          1,
        ),
      { timeout: 20_000 },
    );
    expect(savedOffset()).toBe("8");
    expect(said.join()).toContain("answered 503 to update 8");
    await first.stop();
    status = 200;
    webhook.calls.length = 0;
    telegram.calls.length = 0;
    poll(api, url);
    await vi.waitFor(() => expect(savedOffset()).toBe("9"), { timeout: 20_000 });
    expect(telegram.calls.find(({ method }) => method === "getUpdates")?.body["offset"]).toBe(8);
    expect(webhook.calls.map(({ body }) => body["update_id"])).toEqual([8]);
  });

  it("stands back while there is a webhook, and never deletes it", async () => {
    const { scripted: telegram, url } = await server({
      getWebhookInfo: () => ({
        ok: true,
        result: { url: "https://bot.example.com/telegram/webhook" },
      }),
      getUpdates: nothing,
    });
    poll(url, url);
    await vi.waitFor(() => expect(said.join()).toContain("webhook at bot.example.com"), {
      timeout: 20_000,
    });
    expect(new Set(telegram.calls.map(({ method }) => method))).toEqual(
      new Set(["getWebhookInfo"]),
    );
  });

  it("looks for a webhook again when Telegram refuses to be polled", async () => {
    let webhook = "";
    const { scripted: telegram, url } = await server({
      getWebhookInfo: () => ({ ok: true, result: { url: webhook } }),
      getUpdates: () => {
        webhook = "https://elsewhere.example.com/hook";
        return { ok: false, error_code: 409, description: "Conflict" };
      },
    });
    poll(url, url);
    await vi.waitFor(() => expect(said.join()).toContain("webhook at elsewhere.example.com"), {
      timeout: 20_000,
    });
    expect(telegram.count("getUpdates")).toBe(1);
  });

  it("waits as long as Telegram asks it to", async () => {
    const times: number[] = [];
    const { url } = await server({
      getWebhookInfo: () => NO_WEBHOOK,
      getUpdates: () => {
        times.push(Date.now());
        return times.length === 1
          ? { ok: false, error_code: 429, parameters: { retry_after: 2 } }
          : nothing();
      },
    });
    poll(url, url);
    await vi.waitFor(() => expect(times.length).toBeGreaterThan(1), { timeout: 20_000 });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_950);
  });

  it("goes on after Telegram was away, and says so without the token", async () => {
    const { scripted, url } = await server({
      getWebhookInfo: () => NO_WEBHOOK,
      getUpdates: nothing,
    });
    await scripted.stop();
    poll(url, url);
    await vi.waitFor(() => expect(said.join()).toContain("can't be reached"), { timeout: 20_000 });
    expect(said.join()).not.toContain(TOKEN);
  });

  it("ends when Telegram does not know the token", async () => {
    const { scripted, url } = await server({
      getWebhookInfo: () => ({ ok: false, error_code: 401, description: "Unauthorized" }),
    });
    poll(url, url);
    await vi.waitFor(() => expect(said.join()).toContain("does not know the TELEGRAM_BOT_TOKEN"), {
      timeout: 20_000,
    });
    expect(scripted.calls).toHaveLength(1);
  });

  it("stops at once in the middle of a long poll", async () => {
    const { scripted, url } = await server({
      getWebhookInfo: () => NO_WEBHOOK,
      getUpdates: () => new Promise(() => undefined),
    });
    const poller = poll(url, url);
    await vi.waitFor(() => expect(scripted.count("getUpdates")).toBe(1), { timeout: 20_000 });
    const started = Date.now();
    await poller.stop();
    expect(Date.now() - started).toBeLessThan(2_000);
  });
});
