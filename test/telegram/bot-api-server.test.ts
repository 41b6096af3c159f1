import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startBotApi } from "./bot-api-server.ts";
import type { BotApi, BotApiOptions } from "./bot-api-server.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: BotApiOptions = {}): Promise<BotApi> {
  const api = await startBotApi({ backoffScale: 0.01, flood: null, ...options });
  cleanups.push(() => api.stop());
  return api;
}

interface Answer {
  ok: boolean;
  error_code?: number;
  description?: string;
  parameters?: { retry_after?: number; migrate_to_chat_id?: number };
  result?: Record<string, unknown>;
}

async function call(
  api: BotApi,
  method: string,
  params: Record<string, unknown> = {},
): Promise<Answer> {
  const answer = await fetch(`${api.url}/bot${api.token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(params),
  });
  return (await answer.json()) as Answer; // the server under test makes it
}

interface Received {
  update: { update_id: number } & Record<string, unknown>;
  secret: string | undefined;
}

/** A webhook that answers with the status that `decide` gives. */
async function startHook(
  decide: (received: Received, count: number) => number | Promise<number>,
  headers: Record<string, string> = {},
) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const secret = request.headers["x-telegram-bot-api-secret-token"];
      const one: Received = {
        update: JSON.parse(Buffer.concat(chunks).toString()),
        secret: typeof secret === "string" ? secret : undefined,
      };
      received.push(one);
      response.writeHead(await decide(one, received.length), headers).end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(
    () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

describe("messages", () => {
  it("sends, edits and shows the chat as a user sees it", async () => {
    const api = await start();
    const sara = api.addPerson();
    const sent = await call(api, "sendMessage", {
      chat_id: sara.chat.id,
      text: "<b>hi</b> there",
      parse_mode: "HTML",
    });
    const message_id = Number(sent.result?.["message_id"]);
    await call(api, "editMessageText", { chat_id: sara.chat.id, message_id, text: "bye" });
    expect(api.answersIn(sara.chat)).toMatchObject([
      { text: "bye", history: ["hi there", "bye"], entities: [] },
    ]);
  });

  it.each([
    [
      "an unclosed tag",
      { parse_mode: "HTML", text: "<b>x" },
      "can't parse entities: Can't find end tag",
    ],
    [
      "an unknown tag",
      { parse_mode: "HTML", text: "<p>x</p>" },
      'can\'t parse entities: Unsupported start tag "p"',
    ],
    [
      "a reserved character",
      { parse_mode: "MarkdownV2", text: "1.5" },
      "can't parse entities: Character '.' is reserved",
    ],
    [
      "an open mark",
      { parse_mode: "MarkdownV2", text: "*x" },
      "can't parse entities: Can't find end of bold entity",
    ],
    [
      "an open mark of the old style",
      { parse_mode: "Markdown", text: "a_b" },
      "can't parse entities: Can't find end of the entity",
    ],
    [
      "an entity without a type",
      { entities: [{ offset: 0, length: 1 }], text: "x" },
      "can't parse entities: Unsupported type",
    ],
    ["blank text", { text: "  \n " }, "message text is empty"],
    ["4097 characters", { text: "x".repeat(4097) }, "message is too long"],
    [
      "65 bytes of callback data",
      {
        text: "x",
        reply_markup: { inline_keyboard: [[{ text: "b", callback_data: "é".repeat(33) }]] },
      },
      "BUTTON_DATA_INVALID",
    ],
    ["an unknown chat", { chat_id: 1, text: "x" }, "chat not found"],
  ])("refuses %s", async (_what, params, description) => {
    const api = await start();
    const sara = api.addPerson();
    const answer = await call(api, "sendMessage", { chat_id: sara.chat.id, ...params });
    expect(answer).toMatchObject({ ok: false, error_code: 400 });
    expect(answer.description).toContain(description);
    expect(api.answersIn(sara.chat)).toEqual([]);
  });

  it("counts the 4096 after the entities are parsed", async () => {
    const api = await start();
    const sara = api.addPerson();
    const text = `<b>${"x".repeat(4096)}</b>`;
    expect(
      await call(api, "sendMessage", { chat_id: sara.chat.id, text, parse_mode: "HTML" }),
    ).toMatchObject({ ok: true });
  });

  it("refuses an edit that changes nothing, and one of a message that is gone", async () => {
    const api = await start();
    const sara = api.addPerson();
    const chat_id = sara.chat.id;
    const sent = await call(api, "sendMessage", { chat_id, text: "hi" });
    const message_id = sent.result?.["message_id"];
    expect(
      (await call(api, "editMessageText", { chat_id, message_id, text: "hi " })).description,
    ).toContain("message is not modified");
    await call(api, "deleteMessage", { chat_id, message_id });
    expect(
      (await call(api, "editMessageText", { chat_id, message_id, text: "yo" })).description,
    ).toContain("message to edit not found");
  });

  it("answers 403 once blocked, and names the new chat of a migrated group", async () => {
    const api = await start();
    const sara = api.addPerson();
    sara.blocks();
    expect(await call(api, "sendMessage", { chat_id: sara.chat.id, text: "x" })).toMatchObject({
      error_code: 403,
    });
    const group = api.addGroup();
    const supergroup = api.migrate(group, sara);
    const answer = await call(api, "sendMessage", { chat_id: group.id, text: "x" });
    expect(answer).toMatchObject({
      error_code: 400,
      parameters: { migrate_to_chat_id: supergroup.id },
    });
  });

  it("takes a document by multipart with a caption of at most 1024", async () => {
    const api = await start();
    const sara = api.addPerson();
    const form = (caption: string) => {
      const data = new FormData();
      data.set("chat_id", String(sara.chat.id));
      data.set("document", "attach://f0");
      data.set("caption", caption);
      data.set("f0", new Blob(["# long"]), "answer.md");
      return fetch(`${api.url}/bot${api.token}/sendDocument`, { method: "POST", body: data });
    };
    expect((await form("x".repeat(1025))).status).toBe(400);
    expect((await form("here")).status).toBe(200);
    const [message] = api.answersIn(sara.chat);
    expect(message?.caption).toBe("here");
    expect(new TextDecoder().decode(message?.document?.bytes)).toBe("# long");
  });
});

describe("flood control", () => {
  it("lets one message a second through, counts edits, and stays shut until retry_after is over", async () => {
    const api = await start({ flood: { burst: 1, perSecond: 1, groupPerMinute: 20 } });
    const sara = api.addPerson();
    const chat_id = sara.chat.id;
    const first = await call(api, "sendMessage", { chat_id, text: "1" });
    const edit = { chat_id, message_id: first.result?.["message_id"], text: "2" };
    expect(await call(api, "editMessageText", edit)).toMatchObject({
      error_code: 429,
      parameters: { retry_after: 1 },
    });
    await vi.waitFor(async () => expect((await call(api, "editMessageText", edit)).ok).toBe(true), {
      timeout: 3000,
      interval: 200,
    });
  });

  it("lets twenty a minute into a group", async () => {
    const api = await start({ flood: { burst: 100, perSecond: 100, groupPerMinute: 20 } });
    const group = api.addGroup();
    for (let i = 0; i < 20; i++)
      expect(await call(api, "sendMessage", { chat_id: group.id, text: `${i}` })).toMatchObject({
        ok: true,
      });
    const refused = await call(api, "sendMessage", { chat_id: group.id, text: "21" });
    expect(refused.parameters?.retry_after).toBeGreaterThan(50);
  });
});

describe("scripted faults", () => {
  it("fail a number of calls, and then no more", async () => {
    const api = await start();
    const sara = api.addPerson();
    api.fail({
      method: "sendMessage",
      times: 2,
      status: 429,
      description: "Too Many Requests: retry after 7",
      parameters: { retry_after: 7 },
    });
    const send = () => call(api, "sendMessage", { chat_id: sara.chat.id, text: "x" });
    expect([
      (await send()).parameters?.retry_after,
      (await send()).error_code,
      (await send()).ok,
    ]).toEqual([7, 429, true]);
  });

  it("drop the connection before or after the call had its effect", async () => {
    const api = await start();
    const sara = api.addPerson();
    api.fail({ method: "sendMessage", drop: "before" });
    await expect(
      call(api, "sendMessage", { chat_id: sara.chat.id, text: "lost" }),
    ).rejects.toThrow();
    api.fail({ method: "sendMessage", drop: "after" });
    await expect(
      call(api, "sendMessage", { chat_id: sara.chat.id, text: "kept" }),
    ).rejects.toThrow();
    expect(api.answersIn(sara.chat).map((message) => message.text)).toEqual(["kept"]);
  });
});

describe("delivery", () => {
  it("carries the secret, keeps a chat's order, and sends a refused update again before the next", async () => {
    const api = await start();
    const hook = await startHook((_one, count) => (count <= 3 ? 500 : 200));
    await call(api, "setWebhook", {
      url: hook.url,
      secret_token: "s3cret",
      allowed_updates: ["message", "mesage"],
    });
    expect((await call(api, "getWebhookInfo")).result).toMatchObject({
      url: hook.url,
      allowed_updates: ["message"],
    });
    const sara = api.addPerson();
    const [first, second] = [sara.says("one"), sara.says("two")];
    await api.delivery.settled();
    expect(hook.received.map((one) => one.update.update_id)).toEqual([
      first,
      first,
      first,
      first,
      second,
    ]);
    expect(new Set(hook.received.map((one) => one.secret))).toEqual(new Set(["s3cret"]));
  });

  it("lets a callback pass a message that is still being delivered", async () => {
    const api = await start();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const hook = await startHook(async ({ update }) => {
      if ("message" in update) await held;
      return 200;
    });
    await call(api, "setWebhook", { url: hook.url });
    const sara = api.addPerson();
    await call(api, "sendMessage", {
      chat_id: sara.chat.id,
      text: "x",
      reply_markup: { inline_keyboard: [[{ text: "Stop", callback_data: "stop" }]] },
    });
    sara.says("slow");
    const tap = sara.taps("Stop");
    await vi.waitFor(() =>
      expect(hook.received.map((one) => one.update.update_id)).toContain(tap.updateId),
    );
    expect(api.delivery.attempts.map((one) => one.updateId)).toEqual([tap.updateId]);
    release();
    await api.delivery.settled();
    expect((await call(api, "answerCallbackQuery", { callback_query_id: tap.callbackId })).ok).toBe(
      true,
    );
    expect((await call(api, "answerCallbackQuery", { callback_query_id: tap.callbackId })).ok).toBe(
      false,
    );
  });

  it("obeys Retry-After", async () => {
    const api = await start({ backoffScale: 0.1 });
    const hook = await startHook((_one, count) => (count === 1 ? 503 : 200), {
      "retry-after": "3",
    });
    await call(api, "setWebhook", { url: hook.url });
    api.addPerson().says("hello");
    await api.delivery.settled();
    const [first, second] = api.delivery.attempts;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(290);
  });

  it("keeps updates for getUpdates without a webhook, and refuses polling with one", async () => {
    const api = await start();
    const update = api.addPerson().says("hello");
    const polled = await call(api, "getUpdates", { timeout: 1 });
    expect(polled.result).toMatchObject([{ update_id: update }]);
    expect((await call(api, "getUpdates", { offset: update + 1 })).result).toEqual([]);
    await call(api, "setWebhook", { url: "http://127.0.0.1:1/hook" });
    expect(await call(api, "getUpdates")).toMatchObject({ error_code: 409 });
    await call(api, "deleteWebhook");
  });
});

it("answers 401 to another token and 404 to an unknown method", async () => {
  const api = await start();
  expect((await fetch(`${api.url}/bot1:wrong/getMe`)).status).toBe(401);
  expect(await call(api, "getMoon")).toMatchObject({ error_code: 404 });
  expect((await call(api, "getme")).result).toMatchObject({ username: "switchyard_test_bot" });
});
