import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { eventually } from "#test/harness/eventually.ts";
import * as claude from "#test/providers/anthropic/message-protocol.ts";
import * as google from "#test/providers/gemini/content-protocol.ts";
import * as cloudflare from "#test/providers/workers-ai/ai-service.ts";
import { type KindsStack, PRICE, startKinds, type Target } from "./kinds-stack.ts";

let kinds: KindsStack;
beforeAll(async () => {
  kinds = await startKinds(inject("postgres"));
});
afterAll(() => kinds?.stop());

type Params = Anthropic.MessageCreateParamsNonStreaming;

const TARGETS = [
  {
    name: "anthropic",
    target: { provider: "anthropic", model: "claude-sonnet-4-6" },
    inputTokens: claude.INPUT_TOKENS,
    cached: 0,
    images: true,
  },
  {
    name: "anthropic-newest",
    target: { provider: "anthropic", model: "claude-opus-5-5" },
    inputTokens: claude.INPUT_TOKENS,
    cached: 0,
    images: true,
  },
  {
    name: "gemini",
    target: { provider: "gemini", model: "gemini-3-pro" },
    inputTokens: google.INPUT_TOKENS,
    cached: google.CACHED_TOKENS,
    images: true,
  },
  {
    name: "workers_ai",
    target: { provider: "workers_ai", model: "@cf/openai/gpt-oss-120b" },
    inputTokens: cloudflare.INPUT_TOKENS,
    cached: 0,
    images: true,
  },
  {
    name: "workers_ai-older",
    target: { provider: "workers_ai", model: "@cf/meta/llama-3.1-8b-instruct" },
    inputTokens: cloudflare.INPUT_TOKENS,
    cached: 0,
    images: false,
  },
] satisfies {
  name: string;
  target: Target;
  inputTokens: number;
  cached: number;
  images: boolean;
}[];

const PIXEL = "iVBORw0KGgoAAAANSUhEUg".repeat(10);
const asks = (model: string, content: Anthropic.MessageParam["content"] = "hi"): Params => ({
  model,
  max_tokens: 4_000,
  messages: [{ role: "user", content }],
});
const tool = (name: string, more: object = {}): Anthropic.Tool => ({
  name,
  description: `The ${name} of a city`,
  input_schema: { type: "object", properties: { city: { type: "string" } } },
  ...more,
});
const textOf = (message: Anthropic.Message) =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

describe.each(TARGETS)(
  "Anthropic's official client before $name",
  ({ name, target, inputTokens, cached, images }) => {
    const model = (of: string) => kinds.model(`${name}/${of}`, [target]);

    it("gets a whole message, and its record has what the provider counted", async () => {
      const ours = await model("whole");
      const message = await kinds.anthropic().messages.create({
        ...asks(ours, "سلام, world"),
        system: "Be brief",
        metadata: { user_id: "user-7" },
      });
      expect(message).toMatchObject({
        type: "message",
        role: "assistant",
        model: ours,
        stop_reason: "end_turn",
      });
      expect(textOf(message)).toBe("You said: سلام, world");
      expect(message.usage).toMatchObject({
        input_tokens: inputTokens - cached,
        cache_read_input_tokens: cached,
        cache_creation_input_tokens: 0,
      });
      const [record] = await kinds.waitForRecords(ours, 1);
      expect(record).toMatchObject({
        status: 200,
        provider: target.provider,
        estimated: false,
        input_tokens: inputTokens,
        output_tokens: message.usage.output_tokens,
        end_user: "user-7",
      });
      expect(record?.cost_micros).toBe(
        inputTokens * PRICE.input + message.usage.output_tokens * PRICE.output,
      );
    });

    it("streams by its helper, in the order of the protocol, with the same usage", async () => {
      const ours = await model("streamed");
      const pieces: string[] = [];
      const events: string[] = [];
      const stream = kinds.anthropic().messages.stream(asks(ours, "one two three"));
      stream
        .on("text", (piece) => pieces.push(piece))
        .on("streamEvent", ({ type }) => events.push(type));
      const final = await stream.finalMessage();
      expect(pieces.length).toBeGreaterThan(2);
      expect(pieces.join("")).toBe("You said: one two three");
      expect(await stream.finalText()).toContain("You said: one two three");
      expect(events[0]).toBe("message_start");
      expect(events.slice(-2)).toEqual(["message_delta", "message_stop"]);
      expect(final.stop_reason).toBe("end_turn");
      expect(final.usage).toMatchObject({
        input_tokens: inputTokens - cached,
        cache_read_input_tokens: cached,
      });
      const [record] = await kinds.waitForRecords(ours, 1);
      expect(record).toMatchObject({
        input_tokens: inputTokens,
        output_tokens: final.usage.output_tokens,
      });
    });

    it.each([false, true])("goes round with two calls at once; streamed: %s", async (streamed) => {
      const ours = await model(`tools-${streamed}`);
      const { messages } = kinds.anthropic();
      const tools = [tool("weather"), tool("time")];
      const ask = (params: Params) =>
        streamed ? messages.stream(params).finalMessage() : messages.create(params);
      const question = { ...asks(ours, "How is Tehran?"), tools };
      const first = await ask(question);
      expect(first.stop_reason).toBe("tool_use");
      const uses = first.content.filter((block) => block.type === "tool_use");
      expect(uses).toMatchObject([
        { name: "weather", input: { city: "Tehran" } },
        { name: "time", input: { city: "Tehran" } },
      ]);
      const results = uses.map(({ id }, index): Anthropic.ToolResultBlockParam => ({
        type: "tool_result",
        tool_use_id: id,
        content: index === 0 ? "no rain" : [{ type: "text", text: "noon" }],
        is_error: index === 0,
      }));
      const second = await ask({
        ...question,
        messages: [
          ...question.messages,
          { role: "assistant", content: first.content },
          { role: "user", content: results },
        ],
      });
      expect(textOf(second)).toMatch(/^The tools said: .*no rain.* and .*noon/);
    });

    it("has a structured output where it asks for one", async () => {
      const schema = {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
        additionalProperties: false,
      };
      const message = await kinds.anthropic().messages.create({
        ...asks(await model("format")),
        output_config: { format: { type: "json_schema", schema } },
      });
      expect(JSON.parse(textOf(message))).toEqual({ city: "Tehran" });
    });

    it("parses one by the client's helper for zod", async () => {
      const Weather = z.object({ city: z.string(), degrees: z.number() });
      const message = await kinds.anthropic().messages.parse({
        ...asks(await model("parse")),
        output_config: { format: zodOutputFormat(Weather) },
      });
      expect(message.parsed_output).toEqual({ city: "Tehran", degrees: 7 });
    });

    it("runs tools by the client's own runner, streamed", async () => {
      const cities: string[] = [];
      const weather = betaZodTool({
        name: "weather",
        description: "The weather of a city",
        inputSchema: z.object({ city: z.string() }),
        run: ({ city }) => {
          cities.push(city);
          return `rain in ${city}`;
        },
      });
      const runner = kinds.anthropic().beta.messages.toolRunner({
        model: await model("runner"),
        max_tokens: 4_000,
        messages: [{ role: "user", content: "Weather, please" }],
        tools: [weather],
        stream: true,
      });
      const final = await runner.runUntilDone();
      expect(final.content.at(-1)).toMatchObject({
        type: "text",
        text: expect.stringContaining("rain in Tehran"),
      });
      expect(cities).toEqual(["Tehran"]);
    });

    it.runIf(images)("sends pictures, inline and by address", async () => {
      const message = await kinds.anthropic().messages.create(
        asks(await model("images"), [
          { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
          { type: "image", source: { type: "url", url: "https://example.com/cat.png" } },
          { type: "text", text: "what is this?" },
        ]),
      );
      expect(textOf(message)).toBe("You sent 2 images and said: what is this?");
    });

    it("stops where max_tokens says so", async () => {
      const message = await kinds
        .anthropic()
        .messages.create({ ...asks(await model("cap"), "one two three"), max_tokens: 2 });
      expect(message.stop_reason).toBe("max_tokens");
    });
  },
);

const NEWEST: Target = { provider: "anthropic", model: "claude-opus-5-5" };

/** What Anthropic's own models have and others have not. */
describe("Anthropic's official client before Anthropic", () => {
  it("keeps marks of the cache wherever they stand, and is told what the cache held", async () => {
    const ours = await kinds.model("native/cache", [NEWEST]);
    const mark = { cache_control: { type: "ephemeral", ttl: "1h" } } as const;
    const params: Params = {
      ...asks(ours, [
        { type: "text", text: "a long text" },
        { type: "text", text: "question", ...mark },
      ]),
      system: [
        { type: "text", text: "Be brief" },
        { type: "text", text: "and kind", ...mark },
      ],
      tools: [tool("weather", mark)],
      tool_choice: { type: "none" },
    };
    const first = await kinds.anthropic().messages.create(params);
    expect(first.usage).toMatchObject({
      input_tokens: claude.INPUT_TOKENS,
      cache_creation_input_tokens: claude.CACHED_TOKENS,
      cache_read_input_tokens: 0,
    });
    const second = await kinds.anthropic().messages.stream(params).finalMessage();
    expect(second.usage).toMatchObject({
      input_tokens: claude.INPUT_TOKENS,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: claude.CACHED_TOKENS,
    });
    const body = kinds.anthropicServer.requests.at(-1)?.body;
    expect(body).toMatchObject({
      system: [{ text: "Be brief" }, { text: "and kind", ...mark }],
      tools: [{ name: "weather", ...mark }],
      messages: [{ content: [{ text: "a long text" }, { text: "question", ...mark }] }],
    });
    expect(JSON.stringify(body).split('"cache_control"')).toHaveLength(4);
    for (const { input_tokens } of await kinds.waitForRecords(ours, 2))
      expect(input_tokens).toBe(claude.INPUT_TOKENS + claude.CACHED_TOKENS);
  });

  it("keeps a mark on a plain text, a result and an answer of before", async () => {
    const ours = await kinds.model("native/marks", [NEWEST]);
    const mark = { cache_control: { type: "ephemeral" } } as const;
    await kinds.anthropic().messages.create({
      model: ours,
      max_tokens: 100,
      tools: [tool("weather")],
      messages: [
        { role: "user", content: [{ type: "text", text: "one", ...mark }] },
        {
          role: "assistant",
          content: [
            { type: "text", text: "two", ...mark },
            { type: "tool_use", id: "a", name: "weather", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "a", content: "rain", is_error: true, ...mark },
          ],
        },
      ],
    });
    expect(kinds.anthropicServer.requests.at(-1)?.body).toMatchObject({
      messages: [
        { content: [{ text: "one", ...mark }] },
        { content: [{ text: "two" }, { type: "tool_use" }] },
        { content: [{ type: "tool_result", is_error: true, ...mark }] },
      ],
    });
  });

  it.each([false, true])(
    "gives back signed thoughts as they came; streamed: %s",
    async (streamed) => {
      const ours = await kinds.model(`native/thoughts-${streamed}`, [NEWEST]);
      const { messages } = kinds.anthropic();
      const ask = (params: Params) =>
        streamed ? messages.stream(params).finalMessage() : messages.create(params);
      const question: Params = {
        ...asks(ours, "How is Tehran?"),
        tools: [tool("weather")],
        thinking: { type: "adaptive", display: "summarized" },
        output_config: { effort: "high" },
      };
      const first = await ask(question);
      const thought = {
        type: "thinking",
        thinking: "Let me think.",
        signature: claude.signatureOf(NEWEST.model),
      };
      expect(first.content).toMatchObject([thought, { type: "tool_use" }]);
      const [, use] = first.content;
      if (use?.type !== "tool_use") return;
      await ask({
        ...question,
        messages: [
          ...question.messages,
          { role: "assistant", content: first.content },
          {
            role: "user",
            content: [{ type: "tool_result", tool_use_id: use.id, content: "rain" }],
          },
        ],
      });
      const sent = kinds.anthropicServer.requests.at(-1)?.body;
      expect(sent).toMatchObject({
        thinking: { type: "adaptive", display: "summarized" },
        output_config: { effort: "high" },
        messages: [{}, { content: [thought, { type: "tool_use", id: use.id }] }, {}],
      });
    },
  );

  it("keeps a thought whose text is not shown, and asks for no thinking that nobody asked for", async () => {
    const ours = await kinds.model("native/omitted", [NEWEST]);
    const final = await kinds.anthropic().messages.stream(asks(ours)).finalMessage();
    expect(final.content[0]).toEqual({
      type: "thinking",
      thinking: "",
      signature: claude.signatureOf(NEWEST.model),
    });
    expect(kinds.anthropicServer.requests.at(-1)?.body).not.toHaveProperty("thinking");
  });

  it("sends a budget to think with as it came, top_k and betas too, and none of it to others", async () => {
    const older: Target = { provider: "anthropic", model: "claude-sonnet-4-5-20250929" };
    const ours = await kinds.model("native/budget", [older]);
    const client = kinds.anthropic();
    await client.beta.messages.create({
      ...asks(ours),
      thinking: { type: "enabled", budget_tokens: 1_500 },
      betas: ["context-1m-2025-08-07"],
    } as Anthropic.Beta.MessageCreateParamsNonStreaming); // the same as of messages, with betas
    const request = kinds.anthropicServer.requests.at(-1);
    expect(request?.headers["anthropic-beta"]).toBe("context-1m-2025-08-07");
    expect(request?.body).toMatchObject({ thinking: { type: "enabled", budget_tokens: 1_500 } });
    expect(request?.body).not.toHaveProperty("output_config");
    await client.messages.create({ ...asks(ours), top_k: 40 } as Params); // its types know it no more
    expect(kinds.anthropicServer.requests.at(-1)?.body).toMatchObject({ top_k: 40 });
    const elsewhere = await kinds.model("native/elsewhere", [
      { provider: "openai", model: "plain" },
    ]);
    await client.messages.create({
      ...asks(elsewhere, [{ type: "text", text: "hi", cache_control: { type: "ephemeral" } }]),
      thinking: { type: "adaptive" },
    });
    expect(kinds.openaiServer.requests.at(-1)?.body).toEqual({
      model: "plain",
      max_tokens: 4_000,
      messages: [{ role: "user", content: "hi" }],
    });
  });

  it("is told which stop sequence ended the answer", async () => {
    const ours = await kinds.model("native/stop", [NEWEST]);
    const params = { ...asks(ours, "one END two"), stop_sequences: ["NO", "END"] };
    const ended = { stop_reason: "stop_sequence", stop_sequence: "END" };
    expect(await kinds.anthropic().messages.create(params)).toMatchObject(ended);
    expect(await kinds.anthropic().messages.stream(params).finalMessage()).toMatchObject(ended);
  });

  it.each(["whole", "streamed"])("is told of a refusal: %s", async (way) => {
    const target: Target = { provider: "anthropic", model: `claude-opus-5-refuses-${way}` };
    kinds.anthropicServer.script(target.model, { finishReason: "refusal" });
    const ours = await kinds.model(`native/refusal-${way}`, [target]);
    const { messages } = kinds.anthropic();
    const message =
      way === "whole"
        ? await messages.create(asks(ours))
        : await messages.stream(asks(ours)).finalMessage();
    expect(message.stop_reason).toBe("refusal");
    expect(message.stop_details).toMatchObject({ type: "refusal" });
    expect(textOf(message)).toContain("You said: hi");
  });

  it("aborts in mid-stream, and the provider's call ends", async () => {
    const target: Target = { provider: "anthropic", model: "claude-opus-5-aborted" };
    const ours = await kinds.model("native/abort", [target]);
    const pieces = Array.from({ length: 600 }, (_, index) => `${index} `);
    kinds.anthropicServer.script(target.model, { pieces, eventDelayMs: 50 });
    const stream = kinds.anthropic().messages.stream(asks(ours));
    await new Promise<void>((resolve) => stream.on("text", () => resolve()));
    stream.abort();
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
    await eventually(() =>
      expect(kinds.anthropicServer.requestsFor(target.model)[0]?.abortedAt).not.toBeNull(),
    );
    const [record] = await kinds.waitForRecords(ours, 1);
    expect(record).toMatchObject({ status: 499, error_code: "client_closed" });
  });
});
