import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import TelegramServer from "telegram-test-api";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type BotStack, startBotStack } from "./bot-stack.ts";

const TOKEN = "666:independent-server";
let stack: BotStack;
let server: TelegramServer;
const relay = createServer((request, response) => {
  void (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = await stack.post(Buffer.concat(chunks).toString());
    response.writeHead(answer.status).end();
  })();
});

/** telegram-test-api wants to be told its port. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo; // a TCP server that listens has one
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

beforeAll(async () => {
  server = new TelegramServer({
    port: await freePort(),
    host: "127.0.0.1",
    storage: "RAM",
    storeTimeout: 600,
  });
  await server.start();
  stack = await startBotStack({
    postgres: inject("postgres"),
    vars: { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: server.config.apiURL },
  });
  // It never sends the secret, so a relay adds it.
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  server.setWebhook({ url: `http://127.0.0.1:${(relay.address() as AddressInfo).port}` }, TOKEN);
});
afterAll(async () => {
  relay.closeAllConnections();
  await new Promise((resolve) => relay.close(resolve));
  await stack?.stop();
  await server?.stop();
});

it("talks to a Bot API server that is not ours: text, command, button, edit", async () => {
  await stack.link(31);
  const client = server.getClient(TOKEN, { userId: 31, chatId: 31 });
  const texts = () => server.storage.botMessages.map((one) => one.message.text);
  await client.sendMessage(client.makeMessage("hello"));
  await eventually(() => expect(texts()).toEqual(["Echo: hello"]));
  await client.sendCommand(client.makeCommand("/model"));
  await eventually(() => expect(texts()[1]).toContain("Choose another"));
  const keyboard: unknown = server.storage.botMessages[1]?.message.reply_markup;
  const data = /"callback_data":"(model:[0-9a-f]+)"/.exec(JSON.stringify(keyboard))?.[1] ?? "";
  const messageId = server.storage.botMessages[1]?.messageId;
  await client.sendCallback(
    client.makeCallbackQuery(data, { message: { message_id: messageId, text: "x" } }),
  );
  await eventually(() => expect(texts()[1]).toBe("The model is now gpt-large."));
  await client.sendMessage(client.makeMessage("again"));
  await eventually(() => expect(texts()[2]).toBe("Echo: again"));
  expect(stack.model.turns.at(-1)?.model).toBe("gpt-large");
});
