import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { PROMPT_TOKENS } from "#test/providers/completion-protocol.ts";
import { CLIENT_SENTENCE } from "#test/providers/fault-provider.ts";
import type { Fault } from "#test/providers/fault.ts";
import { MOCK_MODEL, rejection, type ShapesStack, startShapes } from "./shapes-stack.ts";

type Params = Anthropic.MessageCreateParamsNonStreaming;

let gateway: ShapesStack;
beforeAll(async () => {
  gateway = await startShapes(inject("postgres"));
});
afterAll(() => gateway?.stop());

const asks = (model: string, content: Anthropic.MessageParam["content"] = "hi"): Params => ({
  model,
  max_tokens: 200,
  messages: [{ role: "user", content }],
});
const textOf = (message: Anthropic.Message) =>
  message.content.map((block) => (block.type === "text" ? block.text : `<${block.type}>`)).join("");
const PIXEL = "iVBORw0KGgoAAAANSUhEUg".repeat(40);
const WEATHER: Anthropic.Tool = {
  name: "weather",
  description: "The weather of a city",
  input_schema: { type: "object", properties: { city: { type: "string" } } },
};

describe("messages by Anthropic's official client", () => {
  it("answer whole, with usage, id and the request's id", async () => {
    const model = await gateway.addScripted("a-whole", {});
    const { data, request_id } = await gateway
      .anthropic()
      .messages.create(asks(model))
      .withResponse();
    expect(data).toMatchObject({
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "You said: hi" }],
      stop_reason: "end_turn",
      usage: { input_tokens: PROMPT_TOKENS, output_tokens: 3 },
    });
    expect(request_id).toMatch(/^req_/);
    expect(data.id).toBe(request_id?.replace("req_", "msg_"));
    const [record] = await gateway.waitForRecords(model, 1);
    expect(record).toMatchObject({ id: request_id, status: 200, input_tokens: PROMPT_TOKENS });
  });

  it("take a key by either header", async () => {
    const client = gateway.anthropic({ apiKey: null, authToken: gateway.key });
    expect(textOf(await client.messages.create(asks("builtin")))).not.toBe("");
  });

  it.each(["builtin", MOCK_MODEL])("stream to a final message: %s", async (model) => {
    const seen: string[] = [];
    const stream = gateway.anthropic().messages.stream(asks(model, "سلام, and good day to you"));
    stream.on("text", (text) => seen.push(text));
    const final = await stream.finalMessage();
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.join("")).toBe(textOf(final));
    expect(final.stop_reason).toBe("end_turn");
    expect(final.usage.output_tokens).toBeGreaterThan(0);
    if (model === MOCK_MODEL) expect(textOf(final)).toBe("سلام, and good day to you");
  });

  it("send the events that Anthropic's protocol has, in its order", async () => {
    const model = await gateway.addScripted("a-events", {});
    const stream = await gateway.anthropic().messages.create({ ...asks(model), stream: true });
    const events: Anthropic.RawMessageStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    const types = events.map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(["message_start", "content_block_start"]);
    expect(types.slice(-3)).toEqual(["content_block_stop", "message_delta", "message_stop"]);
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: "end_turn" },
      usage: { input_tokens: PROMPT_TOKENS, output_tokens: 3 },
    });
  });

  it("reach the client as the provider writes them", async () => {
    const pieces = Array.from({ length: 12 }, (_, index) => `${index} `);
    const model = await gateway.addScripted("a-pace", { pieces, eventDelayMs: 100 });
    const times: number[] = [];
    const stream = gateway.anthropic().messages.stream(asks(model));
    stream.on("text", () => times.push(Date.now()));
    await stream.done();
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(700);
  });

  it("give the provider OpenAI's request", async () => {
    const model = await gateway.addScripted("a-request", {});
    await gateway.anthropic().messages.create({
      ...asks(model),
      system: [{ type: "text", text: "Be brief", cache_control: { type: "ephemeral" } }],
      stop_sequences: ["END"],
      metadata: { user_id: "user-7" },
      service_tier: "auto",
    });
    expect(gateway.provider.requestsFor(model)[0]?.body).toEqual({
      model,
      max_tokens: 200,
      messages: [
        { role: "system", content: "Be brief" },
        { role: "user", content: "hi" },
      ],
      stop: ["END"],
      user: "user-7",
    });
    expect(await gateway.waitForRecords(model, 1)).toMatchObject([{ end_user: "user-7" }]);
  });

  it("send pictures on", async () => {
    const model = await gateway.addScripted("a-pictures", {});
    const message = await gateway.anthropic().messages.create(
      asks(model, [
        { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
        { type: "image", source: { type: "url", url: "https://example.com/cat.png" } },
        { type: "text", text: "what is this?" },
      ]),
    );
    expect(textOf(message)).toBe("You sent 2 images and said: what is this?");
  });

  it.each([false, true])("go round with tools; streamed: %s", async (streamed) => {
    const model = await gateway.addScripted(`a-tools-${streamed}`, {});
    const client = gateway.anthropic();
    const ask = (params: Params) =>
      streamed ? client.messages.stream(params).finalMessage() : client.messages.create(params);
    const question = { ...asks(model, "Weather?"), tools: [WEATHER] };
    const first = await ask(question);
    expect(first.stop_reason).toBe("tool_use");
    const [use] = first.content;
    expect(use).toMatchObject({ type: "tool_use", name: "weather", input: { city: "Tehran" } });
    if (use?.type !== "tool_use") return;
    const second = await ask({
      ...question,
      messages: [
        ...question.messages,
        { role: "assistant", content: first.content },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: use.id, content: "no city", is_error: true },
          ],
        },
      ],
    });
    expect(textOf(second)).toBe("The tool said: Error: no city");
  });

  it("stop where max_tokens says so", async () => {
    const model = await gateway.addScripted("a-cap", {});
    const message = await gateway.anthropic().messages.create({ ...asks(model), max_tokens: 2 });
    expect(message.stop_reason).toBe("max_tokens");
  });

  it("estimate what a provider does not count", async () => {
    const model = await gateway.addScripted("a-uncounted", { usage: "never" });
    const final = await gateway.anthropic().messages.stream(asks(model)).finalMessage();
    expect(final.usage.input_tokens).toBeGreaterThan(0);
    expect(final.usage.output_tokens).toBeGreaterThan(0);
    const [record] = await gateway.waitForRecords(model, 1);
    expect(record).toMatchObject({
      estimated: true,
      input_tokens: final.usage.input_tokens,
      output_tokens: final.usage.output_tokens,
    });
  });
});

describe("what goes with messages", () => {
  it("counts tokens by estimate, and makes no record of it", async () => {
    const { input_tokens } = await gateway
      .anthropic()
      .messages.countTokens({ model: "builtin", messages: [{ role: "user", content: "Hello" }] });
    expect(input_tokens).toBeGreaterThan(3);
    const error = await rejection(
      gateway.anthropic().messages.countTokens({ model: "none", messages: asks("none").messages }),
    );
    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
  });

  it("lists models in Anthropic's pages, and in OpenAI's for OpenAI's clients", async () => {
    const names: string[] = [];
    for await (const model of gateway.anthropic().models.list({ limit: 2 })) {
      expect(model).toMatchObject({ type: "model", display_name: model.id });
      names.push(model.id);
    }
    expect(names).toEqual(expect.arrayContaining(["builtin", MOCK_MODEL]));
    const openai: string[] = [];
    for await (const model of gateway.openai().models.list()) openai.push(model.id);
    expect(openai).toEqual(names);
    expect(await gateway.anthropic().models.retrieve("builtin")).toMatchObject({ type: "model" });
    const error = await rejection(gateway.anthropic().models.retrieve("no/such"));
    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
    expect(error).toMatchObject({ type: "not_found_error" });
  });
});

describe("errors of Anthropic's official client", () => {
  const failing = async (name: string, fault: Fault) =>
    rejection(gateway.anthropic().messages.create(asks(await gateway.addScripted(name, fault))));

  it("AuthenticationError for a key that is none", async () => {
    const client = gateway.anthropic({ apiKey: "sk-ant-wrong" });
    const error = await rejection(client.messages.create(asks("builtin")));
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError);
    expect(error).toMatchObject({
      type: "authentication_error",
      requestID: expect.stringMatching(/^req_/),
    });
  });

  it("PermissionDeniedError for a model that the key may not use", async () => {
    const { key } = await gateway.stack
      .client(gateway.key)
      .expect<{ key: string }>(201, "POST", "/v1/keys", { name: "narrow", models: ["other"] });
    const error = await rejection(
      gateway.anthropic({ apiKey: key }).messages.create(asks("builtin")),
    );
    expect(error).toBeInstanceOf(Anthropic.PermissionDeniedError);
    expect(error).toMatchObject({ type: "permission_error" });
  });

  it("NotFoundError for a model that does not exist", async () => {
    const error = await rejection(gateway.anthropic().messages.create(asks("claude-none")));
    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
    expect(error).toMatchObject({ type: "not_found_error" });
    expect(await gateway.waitForRecords("claude-none", 1)).toMatchObject([{ status: 404 }]);
  });

  it("BadRequestError with the provider's own sentence", async () => {
    const error = await failing("a-400", { status: 400 });
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error).toMatchObject({ type: "invalid_request_error", apiMessage: CLIENT_SENTENCE });
  });

  it("ContentTooLargeError for a body over the limit", async () => {
    const error = await rejection(
      gateway.anthropic().messages.create(asks("builtin", "x".repeat(10 * 1024 * 1024))),
    );
    expect(error).toBeInstanceOf(Anthropic.ContentTooLargeError);
    expect(error).toMatchObject({ type: "request_too_large" });
  });

  it("RateLimitError with the time to wait", async () => {
    const error = await failing("a-429", { status: 429, headers: { "retry-after": "7" } });
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    if (!(error instanceof Anthropic.RateLimitError)) return;
    expect(error.type).toBe("rate_limit_error");
    expect(error.headers?.get("retry-after")).toBe("7");
  });

  it("OverloadedError for a provider that has too much to do", async () => {
    const error = await failing("a-503", { status: 503 });
    expect(error).toBeInstanceOf(Anthropic.OverloadedError);
    expect(error).toMatchObject({ status: 529, type: "overloaded_error" });
  });

  it("InternalServerError for a provider that fails, and is tried again", async () => {
    expect(await failing("a-500", { status: 500 })).toBeInstanceOf(Anthropic.InternalServerError);
    const model = await gateway.addScripted("a-retries", (earlier) =>
      earlier < 1 ? { status: 500 } : {},
    );
    const message = await gateway.anthropic({ maxRetries: 2 }).messages.create(asks(model));
    expect(textOf(message)).toBe("You said: hi");
  });

  it.each<[string, object, string]>([
    ["max_tokens left out", { max_tokens: undefined }, "max_tokens"],
    ["a tool that Anthropic runs", { tools: [{ type: "web_search_20250305" }] }, "tools.0.type"],
    ["a file that was stored there", { container: "c" }, "container"],
  ])("BadRequestError that names %s", async (_name, more, param) => {
    const params = { ...asks("builtin"), ...more } as Params; // wrong on purpose
    const error = await rejection(gateway.anthropic({ maxRetries: 2 }).messages.create(params));
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(String(error)).toContain(param);
  });

  it("the same shape for paths that Anthropic has and we have not", async () => {
    const error = await rejection(gateway.anthropic().messages.batches.list());
    expect(error).toBeInstanceOf(Anthropic.NotFoundError);
    expect(error).toMatchObject({ type: "not_found_error" });
  });
});

describe("streams to Anthropic's official client that do not end well", () => {
  it.each<[string, Fault]>([
    ["cut", { stopAfter: 2, ending: "cut" }],
    ["ended too early", { stopAfter: 2, ending: "clean_cut" }],
    ["ended by the provider's error", { stopAfter: 2, ending: "error_event" }],
  ])("throw: %s", async (name, fault) => {
    const model = await gateway.addScripted(`a-${name.replaceAll(/\W/g, "-")}`, fault);
    let text = "";
    const stream = gateway.anthropic().messages.stream(asks(model));
    stream.on("text", (delta) => (text += delta));
    const error = await rejection(stream.finalMessage());
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error).toMatchObject({ type: "api_error" });
    expect(text).toBe("You said:");
    expect(await gateway.waitForRecords(model, 1)).toMatchObject([{ status: 502 }]);
  });

  it("end the provider's call when the application aborts, with one record", async () => {
    const pieces = Array.from({ length: 600 }, (_, index) => `${index} `);
    const model = await gateway.addScripted("a-abort", { pieces, eventDelayMs: 50 });
    const stream = gateway.anthropic().messages.stream(asks(model));
    await new Promise<void>((resolve) => stream.on("text", () => resolve()));
    stream.abort();
    await rejection(stream.finalMessage());
    await eventually(() =>
      expect(gateway.provider.requestsFor(model)[0]?.abortedAt).not.toBeNull(),
    );
    const [record] = await gateway.waitForRecords(model, 1);
    expect(record).toMatchObject({ status: 499, error_code: "client_closed", estimated: true });
    expect(record?.output_tokens).toBeLessThan(100);
  });
});
