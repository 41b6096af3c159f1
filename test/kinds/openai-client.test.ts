import type OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import * as claude from "#test/providers/anthropic/message-protocol.ts";
import * as google from "#test/providers/gemini/content-protocol.ts";
import * as cloudflare from "#test/providers/workers-ai/ai-service.ts";
import { KEYS, type KindsStack, PRICE, startKinds, type Target } from "./kinds-stack.ts";

let kinds: KindsStack;
beforeAll(async () => {
  kinds = await startKinds(inject("postgres"));
});
afterAll(() => kinds?.stop());

/** A target of each kind, with what it does in its own way. */
const TARGETS = [
  {
    name: "anthropic",
    target: { provider: "anthropic", model: "claude-sonnet-4-6" },
    inputTokens: claude.INPUT_TOKENS,
    can: { images: true, stop: true, signs: true },
  },
  {
    name: "anthropic-newest",
    target: { provider: "anthropic", model: "claude-opus-5-5" },
    inputTokens: claude.INPUT_TOKENS,
    can: { images: true, stop: true, signs: true },
  },
  {
    name: "gemini",
    target: { provider: "gemini", model: "gemini-3-pro" },
    inputTokens: google.INPUT_TOKENS,
    can: { images: true, stop: true, signs: true },
  },
  {
    name: "gemini-older",
    target: { provider: "gemini", model: "gemini-2.5-flash" },
    inputTokens: google.INPUT_TOKENS,
    can: { images: true, stop: true, signs: false },
  },
  {
    name: "workers_ai",
    target: { provider: "workers_ai", model: "@cf/openai/gpt-oss-120b" },
    inputTokens: cloudflare.INPUT_TOKENS,
    can: { images: true, stop: false, signs: false },
  },
  {
    name: "workers_ai-older",
    target: { provider: "workers_ai", model: "@cf/meta/llama-3.1-8b-instruct" },
    inputTokens: cloudflare.INPUT_TOKENS,
    can: { images: false, stop: false, signs: false },
  },
] satisfies { name: string; target: Target; inputTokens: number; can: object }[];

const says = (content: string): OpenAI.Chat.ChatCompletionMessageParam[] => [
  { role: "user", content },
];
const PIXEL = `data:image/png;base64,${"iVBORw0KGgoAAAANSUhEUg".repeat(10)}`;
const WEATHER = { type: "object", properties: { city: { type: "string" } } };
const tool = (name: string): OpenAI.Chat.ChatCompletionFunctionTool => ({
  type: "function",
  function: {
    name,
    description: `The ${name} of a city`,
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
});
const costOf = (usage: { input_tokens: number; output_tokens: number }) =>
  usage.input_tokens * PRICE.input + usage.output_tokens * PRICE.output;

describe.each(TARGETS)(
  "OpenAI's official client before $name",
  ({ name, target, inputTokens, can }) => {
    const model = (of: string, more: object = {}) => kinds.model(`${name}/${of}`, [target], more);

    it("gets a whole answer, and its record has what the provider counted", async () => {
      const ours = await model("whole");
      const completion = await kinds.openai().chat.completions.create({
        model: ours,
        messages: [
          { role: "system", content: "Be brief" },
          { role: "developer", content: "Be kind" },
          ...says("سلام, world"),
        ],
        temperature: 0.4,
        top_p: 0.9,
        user: "user-7",
      });
      expect(completion).toMatchObject({ object: "chat.completion", model: ours });
      expect(completion.choices[0]).toMatchObject({
        message: { role: "assistant", content: "You said: سلام, world" },
        finish_reason: "stop",
      });
      expect(completion.usage?.prompt_tokens).toBe(inputTokens);
      const [record] = await kinds.waitForRecords(ours, 1);
      expect(record).toMatchObject({
        status: 200,
        provider: target.provider,
        estimated: false,
        input_tokens: inputTokens,
        output_tokens: completion.usage?.completion_tokens,
        end_user: "user-7",
      });
      expect(record?.cost_micros).toBe(record && costOf(record));
    });

    it("streams, with the usage at its end, and the same record", async () => {
      const ours = await model("streamed");
      const stream = kinds.openai().chat.completions.stream({
        model: ours,
        messages: says("one two three"),
        stream_options: { include_usage: true },
      });
      const pieces: string[] = [];
      stream.on("content", (piece) => pieces.push(piece));
      const final = await stream.finalChatCompletion();
      expect(pieces.length).toBeGreaterThan(2);
      expect(pieces.join("")).toBe("You said: one two three");
      expect(final.choices[0]).toMatchObject({ finish_reason: "stop" });
      expect(final.usage?.prompt_tokens).toBe(inputTokens);
      const [record] = await kinds.waitForRecords(ours, 1);
      expect(record).toMatchObject({
        status: 200,
        estimated: false,
        input_tokens: inputTokens,
        output_tokens: final.usage?.completion_tokens,
      });
      expect(record?.cost_micros).toBe(record && costOf(record));
      expect(record?.first_token_ms).toBeGreaterThanOrEqual(0);
    });

    it.each([false, true])("goes round with two calls at once; streamed: %s", async (streamed) => {
      const ours = await model(`tools-${streamed}`);
      const client = kinds.openai();
      const ask = async (messages: OpenAI.Chat.ChatCompletionMessageParam[]) => {
        const parameters = { model: ours, messages, tools: [tool("weather"), tool("time")] };
        return streamed
          ? client.chat.completions.stream(parameters).finalChatCompletion()
          : client.chat.completions.create(parameters);
      };
      const question = says("How is Tehran?");
      const first = (await ask(question)).choices[0];
      expect(first?.finish_reason).toBe("tool_calls");
      const calls = first?.message.tool_calls ?? [];
      expect(calls).toMatchObject([
        { type: "function", function: { name: "weather", arguments: '{"city":"Tehran"}' } },
        { type: "function", function: { name: "time", arguments: '{"city":"Tehran"}' } },
      ]);
      expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
      if (!first) return;
      const results = calls.map(({ id }, index): OpenAI.Chat.ChatCompletionMessageParam => ({
        role: "tool",
        tool_call_id: id,
        content: index === 0 ? "rain" : "noon",
      }));
      const second = (await ask([...question, first.message, ...results])).choices[0];
      expect(second?.message.content).toMatch(/^The tools said: .*rain.* and .*noon/);
      expect(second?.finish_reason).toBe("stop");
    });

    it("runs tools by the client's own runner, streamed, with arguments in pieces", async () => {
      const ours = await model("runner");
      const cities: string[] = [];
      const runner = kinds.openai().chat.completions.runTools({
        model: ours,
        stream: true,
        messages: says("Weather, please"),
        tools: [
          {
            type: "function",
            function: {
              name: "weather",
              description: "The weather of a city",
              parameters: { type: "object", properties: { city: { type: "string" } } },
              parse: (text: string) => JSON.parse(text) as { city: string }, // what the schema above says
              function: ({ city }: { city: string }) => {
                cities.push(city);
                return `rain in ${city}`;
              },
            },
          },
        ],
      });
      expect(await runner.finalContent()).toContain("rain in Tehran");
      expect(cities).toEqual(["Tehran"]);
    });

    it("goes on without tools after calls that were answered, and after another provider's calls", async () => {
      const ours = await model("history");
      const call = {
        id: "call:from/elsewhere",
        type: "function" as const,
        function: { name: "weather", arguments: "{}" },
      };
      const completion = await kinds.openai().chat.completions.create({
        model: ours,
        messages: [
          ...says("How is Tehran?"),
          { role: "assistant", content: null, tool_calls: [call] },
          { role: "tool", tool_call_id: call.id, content: "rain" },
          { role: "assistant", content: "It rains." },
          ...says("thanks"),
        ],
      });
      expect(completion.choices[0]?.message.content).toBe("You said: thanks");
    });

    it.runIf(can.images)("sends pictures, inline and by address", async () => {
      const content: OpenAI.Chat.ChatCompletionContentPart[] = [
        { type: "text", text: "what is this?" },
        { type: "image_url", image_url: { url: PIXEL, detail: "low" } },
        { type: "image_url", image_url: { url: "https://example.com/cat.webp" } },
      ];
      const completion = await kinds.openai().chat.completions.create({
        model: await model("images"),
        messages: [{ role: "user", content }],
      });
      expect(completion.choices[0]?.message.content).toBe(
        "You sent 2 images and said: what is this?",
      );
    });

    it("parses structured outputs by the client's helper for zod", async () => {
      const Weather = z.object({
        city: z.string(),
        degrees: z.number(),
        days: z.array(z.object({ sunny: z.boolean() })),
      });
      const completion = await kinds.openai().chat.completions.parse({
        model: await model("parse"),
        messages: says("Weather as JSON"),
        response_format: zodResponseFormat(Weather, "weather"),
      });
      expect(completion.choices[0]?.message.parsed).toEqual({
        city: "Tehran",
        degrees: 7,
        days: [{ sunny: true }],
      });
    });

    it("answers by the Responses API too, with a call and its result, streamed and not", async () => {
      const ours = await model("responses");
      const { responses } = kinds.openai();
      const tools: OpenAI.Responses.FunctionTool[] = [
        { type: "function", strict: false, ...tool("weather").function, parameters: WEATHER },
      ];
      const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: "How is Tehran?" }];
      const first = await responses.create({ model: ours, input, tools, store: false });
      const [call] = first.output.filter((item) => item.type === "function_call");
      expect(call).toMatchObject({ name: "weather", arguments: '{"city":"Tehran"}' });
      if (!call) return;
      const result = {
        type: "function_call_output" as const,
        call_id: call.call_id,
        output: "rain",
      };
      const second = responses.stream({
        model: ours,
        input: [...input, call, result],
        tools,
        store: false,
      });
      expect((await second.finalResponse()).output_text).toMatch(/^The tools said: .*rain/);
      for (const record of await kinds.waitForRecords(ours, 2))
        expect(record).toMatchObject({ status: 200, input_tokens: inputTokens, estimated: false });
    });

    it.runIf(can.stop)("stops at a stop sequence", async () => {
      const completion = await kinds.openai().chat.completions.create({
        model: await model("stop"),
        messages: says("one END two"),
        stop: ["END"],
      });
      expect(completion.choices[0]?.finish_reason).toBe("stop");
      expect(completion.choices[0]?.message.content?.trim()).toBe("You said: one");
    });

    it.each(["max_tokens", "max_completion_tokens"])("stops where %s says so", async (limit) => {
      const parameters = { model: await model(limit), messages: says("one two three"), [limit]: 2 };
      const completion = await kinds.openai().chat.completions.create(parameters);
      expect(completion.choices[0]?.finish_reason).toBe("length");
      const stream = await kinds.openai().chat.completions.create({ ...parameters, stream: true });
      const reasons: unknown[] = [];
      for await (const chunk of stream) reasons.push(chunk.choices[0]?.finish_reason ?? null);
      expect(reasons.filter(Boolean)).toEqual(["length"]);
    });

    it("ends at the provider when the client aborts in mid-stream", async () => {
      const own = { ...target, model: `${target.model}-abort` };
      const ours = await kinds.model(`${name}/abort`, [own]);
      const pieces = Array.from({ length: 600 }, (_, index) => `${index} `);
      const server = serverOf(target);
      server.script(own.model, { pieces, eventDelayMs: 50 });
      const stream = await kinds
        .openai()
        .chat.completions.create({ model: ours, messages: says("go on"), stream: true });
      let count = 0;
      for await (const _ of stream) if (++count === 4) break;
      const [record] = await kinds.waitForRecords(ours, 1);
      expect(record).toMatchObject({ status: 499, error_code: "client_closed", estimated: true });
      expect(server.requests.at(-1)?.abortedAt).not.toBeNull();
    });
  },
);

const serverOf = ({ provider }: Target) =>
  provider === "anthropic"
    ? kinds.anthropicServer
    : provider === "gemini"
      ? kinds.geminiServer
      : kinds.aiService;

describe("a model that thinks for long and shows nothing of it", () => {
  it("is not taken for one that has fallen silent", async () => {
    const target = { provider: "impatient", model: "claude-opus-5-5-thinks" };
    const settings = {
      kind: "anthropic",
      base_url: kinds.anthropicServer.url,
      api_key: KEYS.anthropic,
      timeout_ms: 1_500,
      retries: { max: 0 },
    };
    await kinds.stack.admin.expect(201, "PUT", "/v1/admin/providers/impatient", settings);
    const ours = await kinds.model("thinks-long", [target]);
    kinds.anthropicServer.script(target.model, { eventDelayMs: 700 });
    const stream = kinds.openai().chat.completions.stream({ model: ours, messages: says("hi") });
    expect(await stream.finalContent()).toBe("You said: hi");
  });
});

describe("what Anthropic's models do not take", () => {
  it.each([false, true])("is named in a header; streamed: %s", async (stream) => {
    const ours = await kinds.model(`left-out-${stream}`, [
      { provider: "anthropic", model: "claude-opus-5-5" },
      { provider: "openai", model: "other" },
    ]);
    const parameters = { model: ours, messages: says("hi"), seed: 7, temperature: 0.5, stream };
    const { response } = await kinds.openai().chat.completions.create(parameters).withResponse();
    expect(response.headers.get("x-parameters-left-out")).toBe("seed, temperature");
    const plain = { model: ours, messages: says("hi") };
    const other = await kinds.openai().chat.completions.create(plain).withResponse();
    expect(other.response.headers.has("x-parameters-left-out")).toBe(false);
  });
});

describe("what a kind counts besides", () => {
  it("are Anthropic's cache and thoughts", async () => {
    const ours = await kinds.model("counts/anthropic", [
      { provider: "anthropic", model: "claude-opus-5-5" },
    ]);
    const content = [
      { type: "text" as const, text: "a long prompt", cache_control: { type: "ephemeral" } },
    ];
    const parameters = {
      model: ours,
      messages: [{ role: "user" as const, content }],
      reasoning_effort: "high" as const,
    };
    const first = await kinds.openai().chat.completions.create(parameters);
    expect(first.usage).toMatchObject({
      prompt_tokens: claude.INPUT_TOKENS + claude.CACHED_TOKENS,
      prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: claude.CACHED_TOKENS },
      completion_tokens_details: { reasoning_tokens: 5 },
    });
    expect(first.choices[0]?.message).toMatchObject({ reasoning_content: "Let me think." });
    const second = await kinds.openai().chat.completions.create(parameters);
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBe(claude.CACHED_TOKENS);
    const records = await kinds.waitForRecords(ours, 2);
    for (const record of records) {
      expect(record.input_tokens).toBe(claude.INPUT_TOKENS + claude.CACHED_TOKENS);
      expect(record.cost_micros).toBe(costOf(record));
    }
  });

  it("are Google's own cache and thoughts", async () => {
    const ours = await kinds.model("counts/gemini", [
      { provider: "gemini", model: "gemini-3-pro" },
    ]);
    const completion = await kinds
      .openai()
      .chat.completions.create({ model: ours, messages: says("think"), reasoning_effort: "low" });
    expect(completion.usage).toMatchObject({
      prompt_tokens: google.INPUT_TOKENS,
      prompt_tokens_details: { cached_tokens: google.CACHED_TOKENS },
      completion_tokens_details: { reasoning_tokens: 6 },
    });
    expect(completion.choices[0]?.message).toMatchObject({ reasoning_content: "Let me think." });
    const [record] = await kinds.waitForRecords(ours, 1);
    expect(record?.output_tokens).toBe(completion.usage?.completion_tokens);
  });
});
