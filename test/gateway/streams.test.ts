import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { chunksIn, readEvents, textIn } from "./event-stream.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";
import { sendChatRaw } from "./send-chat-raw.ts";

const MANY = Array.from({ length: 1_000 }, (_, index) => ` ${index}`);

let gateway: GatewayStack;
beforeAll(async () => {
  gateway = await startGateway(inject("postgres"));
  const { provider } = gateway;
  provider.script("every-100-ms", { pieces: MANY.slice(0, 20), eventDelayMs: 100 });
  provider.script("gzip-every-100-ms", {
    pieces: MANY.slice(0, 20),
    eventDelayMs: 100,
    gzip: true,
  });
  for (const model of ["abort", "abort-chunked"])
    provider.script(model, { pieces: MANY, eventDelayMs: 50 });
  provider.script("abort-early", { firstByteDelayMs: 60_000 });
  provider.script("abort-whole", { firstByteDelayMs: 60_000 });
  provider.script("open", { ending: "open" });
  provider.script("flood", { pieces: MANY.map(() => "x".repeat(50_000)) });
  const names = ["every-100-ms", "gzip-every-100-ms", "abort", "abort-chunked", "abort-early"];
  const all = [...names, "abort-whole", "open", "two-choices", "all-choices"];
  await gateway.addModels(Object.fromEntries(all.map((name) => [name, name])));
  await gateway.addModels({ flood: "flood" }, { timeoutMs: 1_500 });
});
afterAll(() => gateway?.stop());

const streaming = (model: string) => ({ model, messages: userSays("hi"), stream: true });

describe.concurrent("the events of a stream", () => {
  it.each(["every-100-ms", "gzip-every-100-ms"])("arrive as they come: %s", async (model) => {
    const stream = await readEvents(await gateway.chat(streaming(model)));
    const content = stream.events.filter(({ data }) => data.includes('"content":" '));
    expect(content).toHaveLength(20);
    const gaps = content.slice(1).map(({ at }, index) => at - (content[index]?.at ?? 0));
    // Nobody holds events back to send them together; a busy machine may delay one or another.
    expect(gaps.filter((gap) => gap < 50).length).toBeLessThanOrEqual(3);
    expect((content.at(-1)?.at ?? 0) - (content[0]?.at ?? Infinity)).toBeGreaterThan(1_500);
    const [record] = await gateway.waitForRecords(model, 1);
    expect(record?.first_token_ms).toBeLessThan(1_000);
    expect(record?.latency_ms).toBeGreaterThan(1_900);
  });

  it("that lack the end of one of several choices are no whole answer", async () => {
    const chunk = (index: number, finish: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index, delta: { content: "a" }, finish_reason: finish }] })}\n\n`;
    const contentType = "text/event-stream";
    gateway.provider.script("two-choices", {
      contentType,
      body: chunk(0, "stop") + chunk(1, null),
    });
    gateway.provider.script("all-choices", {
      contentType,
      body: chunk(1, "stop") + chunk(0, "stop"),
    });
    const cut = await readEvents(await gateway.chat({ ...streaming("two-choices"), n: 2 }));
    expect(chunksIn(cut).at(-1)?.error?.code).toBe("stream_cut");
    const whole = await readEvents(await gateway.chat({ ...streaming("all-choices"), n: 2 }));
    expect(whole.events.at(-1)?.data).toBe("[DONE]");
  });
});

/** Reads some of a streamed answer, and hangs up. */
async function hangUpAfter(response: Response, controller: AbortController): Promise<string> {
  const reader = response.body?.getReader();
  let text = "";
  while (reader && !text.includes('" 5"'))
    text += new TextDecoder().decode((await reader.read()).value);
  controller.abort();
  return text;
}

const sendRaw = (request: object) => sendChatRaw(gateway.stack.urls.api, gateway.key, request);

async function expectHungUp(model: string): Promise<void> {
  await eventually(() => {
    expect(gateway.provider.requestsFor(model)).toHaveLength(1);
    expect(gateway.provider.requestsFor(model)[0]?.abortedAt).not.toBeNull();
  }, 20_000);
  const [record] = await gateway.waitForRecords(model, 1);
  expect(record).toMatchObject({ status: 499, error_code: "client_closed", estimated: true });
  expect(record?.input_tokens).toBeGreaterThan(0);
  await eventually(() => {
    const lines = gateway.stack.logs.entries.filter((line) => line["request_id"] === record?.id);
    expect(lines).toMatchObject([{ event: "request", status: 499 }]);
  }, 10_000);
}

describe.concurrent("a client that hangs up", () => {
  it("in mid-stream ends the provider's call, and what it got is accounted for", async () => {
    const controller = new AbortController();
    const response = await gateway.chat(streaming("abort"), { signal: controller.signal });
    await hangUpAfter(response, controller);
    await expectHungUp("abort");
    const [record] = await gateway.recordsOf("abort");
    expect(record?.output_tokens).toBeGreaterThan(2);
    expect(record?.output_tokens).toBeLessThan(200);
    expect(record?.latency_ms).toBeLessThan(20_000);
  });

  it("is noticed as well when its request had no content-length", async () => {
    const controller = new AbortController();
    const response = await fetch(`${gateway.stack.urls.api}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
      body: new Blob([JSON.stringify(streaming("abort-chunked"))]).stream(),
      signal: controller.signal,
      duplex: "half",
    } as RequestInit); // the DOM's type does not know duplex
    await hangUpAfter(response, controller);
    await expectHungUp("abort-chunked");
  });

  // By a reset: workerd takes a connection whose client only closed its side for one that still reads, until it
  // writes to it.
  it.each(["abort-early", "abort-whole"])(
    "before the first byte does so too: %s",
    async (model) => {
      const socket = sendRaw({ ...streaming(model), stream: model === "abort-early" });
      await eventually(() => expect(gateway.provider.requestsFor(model)).toHaveLength(1));
      socket.resetAndDestroy();
      await expectHungUp(model);
    },
  );

  it("after the last event has had a whole answer", async () => {
    const client = new OpenAI({ baseURL: `${gateway.stack.urls.api}/v1`, apiKey: gateway.key });
    const stream = await client.chat.completions.create({
      model: "open",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
    });
    for await (const _ of stream); // the client hangs up by itself when it reads [DONE]
    const [record] = await gateway.waitForRecords("open", 1);
    expect(record).toMatchObject({ status: 200, error_code: null, estimated: false });
  });

  it("without a word, and only stops reading, does not hold the provider for ever", async () => {
    const socket = sendRaw(streaming("flood"));
    try {
      const [record] = await gateway.waitForRecords("flood", 1);
      expect(record).toMatchObject({ status: 499, error_code: "client_closed" });
      await eventually(() =>
        expect(gateway.provider.requestsFor("flood")[0]?.abortedAt).not.toBeNull(),
      );
    } finally {
      socket.destroy();
    }
  });
});

describe("two streams at once", () => {
  it("do not mix", async () => {
    const words = ["alpha", "beta", "gamma", "delta"];
    const streams = await Promise.all(
      words.map(async (word) =>
        readEvents(
          await gateway.chat({
            ...streaming("all-choices"),
            x_fault: { splitBytes: 11 },
            messages: userSays(word),
          }),
        ),
      ),
    );
    expect(streams.map(textIn)).toEqual(words.map((word) => `You said: ${word}`));
  });
});
