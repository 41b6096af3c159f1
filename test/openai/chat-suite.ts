import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { PROMPT_TOKENS } from "#test/providers/completion-protocol.ts";
import { openAiClient, type OpenAiTarget } from "./openai-target.ts";

type Chunk = OpenAI.Chat.ChatCompletionChunk;

const PIXEL = `data:image/png;base64,${"iVBORw0KGgoAAAANSUhEUg".repeat(40)}`;
const WEATHER = {
  type: "function" as const,
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};

const says = (content: string): OpenAI.Chat.ChatCompletionMessageParam[] => [
  { role: "user", content },
];
const textOf = (chunks: Chunk[]) =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");

async function collect(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** What applications do with chat completions. */
export function describeChat(target: () => OpenAiTarget): void {
  const client = () => openAiClient(target());

  describe("chat completions by the official client", () => {
    it("answer whole, with usage", async () => {
      const completion = await client().chat.completions.create({
        model: "suite",
        messages: says("سلام, world"),
      });
      expect(completion.object).toBe("chat.completion");
      expect(completion.choices).toMatchObject([
        {
          message: { role: "assistant", content: "You said: سلام, world" },
          finish_reason: "stop",
        },
      ]);
      expect(completion.usage).toMatchObject({
        prompt_tokens: PROMPT_TOKENS,
        completion_tokens: 4,
      });
    });

    it("stream, and do not show a usage that nobody asked for", async () => {
      const stream = await client().chat.completions.create({
        model: "suite",
        messages: says("one two three"),
        stream: true,
      });
      const chunks = await collect(stream);
      expect(textOf(chunks)).toBe("You said: one two three");
      expect(chunks.length).toBeGreaterThan(5);
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
      expect(chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage)).toBe(true);
    });

    it("show the usage in one extra chunk to those who ask for it", async () => {
      const stream = await client().chat.completions.create({
        model: "suite",
        messages: says("count me"),
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = await collect(stream);
      expect(chunks.at(-1)).toMatchObject({
        choices: [],
        usage: { prompt_tokens: PROMPT_TOKENS, completion_tokens: 4 },
      });
      expect(chunks.filter((chunk) => chunk.usage)).toHaveLength(1);
    });

    it("come as events of the stream helper, and as one completion at its end", async () => {
      const seen: string[] = [];
      const stream = client()
        .chat.completions.stream({ model: "suite", messages: says("to the helper") })
        .on("content", (delta) => seen.push(delta))
        .on("chunk", () => undefined);
      const final = await stream.finalChatCompletion();
      expect(seen.join("")).toBe("You said: to the helper");
      expect(final.choices[0]?.message.content).toBe("You said: to the helper");
      expect(await stream.finalContent()).toBe("You said: to the helper");
    });

    it("have as many choices as were asked for, streamed too", async () => {
      const parameters = { model: "suite", messages: says("twice"), n: 2 };
      const whole = await client().chat.completions.create(parameters);
      expect(whole.choices.map((choice) => choice.index)).toEqual([0, 1]);
      const stream = client().chat.completions.stream(parameters);
      const final = await stream.finalChatCompletion();
      expect(final.choices.map((choice) => choice.message.content)).toEqual([
        "You said: twice",
        "You said: twice",
      ]);
    });

    it("send pictures on as they came", async () => {
      const content: OpenAI.Chat.ChatCompletionContentPart[] = [
        { type: "text", text: "what is this?" },
        { type: "image_url", image_url: { url: PIXEL, detail: "low" } },
        { type: "image_url", image_url: { url: "https://example.com/cat.png" } },
      ];
      const model = "with-pictures";
      target().provider.script(model, {});
      const completion = await client().chat.completions.create({
        model,
        messages: [{ role: "user", content }],
      });
      expect(completion.choices[0]?.message.content).toBe(
        "You sent 2 images and said: what is this?",
      );
      expect(target().provider.requestsFor(model)[0]?.body?.["messages"]).toEqual([
        { role: "user", content },
      ]);
    });

    it("send fields that nobody knows on to the provider", async () => {
      const model = "unknown-fields";
      target().provider.script(model, {});
      const more = {
        x_deep: { list: [1, null, { ü: "é" }], on: false },
        top_k: 40,
        reasoning: { effort: "high" },
        seed: 7,
        logit_bias: { "50256": -100 },
        metadata: { a: "b" },
        stop: ["\n", "END"],
        temperature: 0.1,
      };
      await client().chat.completions.create({ model, messages: says("hi"), ...more });
      expect(target().provider.requestsFor(model)[0]?.body).toEqual({
        model,
        messages: says("hi"),
        ...more,
      });
    });

    it("end at the provider when the client aborts in mid-stream", async () => {
      const model = "abort-in-mid-stream";
      const pieces = Array.from({ length: 600 }, (_, index) => `${index} `);
      target().provider.script(model, { pieces, eventDelayMs: 50 });
      const stream = await client().chat.completions.create({
        model,
        messages: says("go on"),
        stream: true,
      });
      let count = 0;
      for await (const _ of stream) if (++count === 4) break;
      await eventually(() => {
        const [request] = target().provider.requestsFor(model);
        expect(request?.abortedAt).not.toBeNull();
      }, 10_000);
    });
  });

  describe("tools by the official client", () => {
    it("go round: the call comes, the result is sent, the answer tells of it", async () => {
      const model = "tools-round-trip";
      target().provider.script(model, {});
      const messages = says("How is the weather in Tehran?");
      const first = await client().chat.completions.create({ model, messages, tools: [WEATHER] });
      const message = first.choices[0]?.message;
      const [call] = message?.tool_calls ?? [];
      expect(first.choices[0]?.finish_reason).toBe("tool_calls");
      expect(call).toMatchObject({
        type: "function",
        function: { name: "weather", arguments: '{"city":"Tehran"}' },
      });
      if (!message || !call) return;
      const second = await client().chat.completions.create({
        model,
        messages: [...messages, message, { role: "tool", tool_call_id: call.id, content: "sunny" }],
        tools: [WEATHER],
      });
      expect(second.choices[0]?.message.content).toBe("The tool said: sunny");
    });

    it("are run by the client's own runner, streamed", async () => {
      const cities: string[] = [];
      const runner = client().chat.completions.runTools({
        model: "suite",
        stream: true,
        messages: says("Weather, please"),
        tools: [
          {
            type: "function",
            function: {
              name: "weather",
              description: "The weather of a city",
              parameters: WEATHER.function.parameters,
              parse: (text: string) => JSON.parse(text) as { city: string }, // what the schema above says
              function: ({ city }: { city: string }) => {
                cities.push(city);
                return `rain in ${city}`;
              },
            },
          },
        ],
      });
      expect(await runner.finalContent()).toBe("The tool said: rain in Tehran");
      expect(cities).toEqual(["Tehran"]);
    });
  });
}
