import { describe, expect, it } from "vitest";
import { builtinChunks, builtinCompletion, builtinEmbeddings } from "./builtin-model.ts";

const ask = (content: unknown, more: object = {}) => ({
  model: "builtin",
  messages: [{ role: "user", content }],
  ...more,
});
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: {
        city: { type: "string" },
        unit: { enum: ["celsius", "kelvin"] },
        days: { type: "integer", maximum: 7 },
        note: { type: "string" },
      },
      required: ["city", "unit", "days"],
    },
  },
};

/** A conversation in which the tool has answered. */
const answered = (content: string) => {
  const call = { id: "c1", type: "function", function: { name: "get_weather", arguments: "{}" } };
  const messages = [
    { role: "user", content: "Berlin" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content },
  ];
  return { model: "builtin", messages, tools: [weather] };
};

interface Delta {
  content?: string | null;
  tool_calls?: { index: number; id?: string; function: { name?: string; arguments: string } }[];
}
interface Chunk {
  choices: { index: number; delta: Delta; finish_reason: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
}
const chunksOf = (request: Record<string, unknown>) => [...builtinChunks(request)] as Chunk[]; // what the generator yields

describe("the builtin model", () => {
  it("says that it is a stand-in, what it heard and what to set", () => {
    const { choices, usage } = builtinCompletion(ask("How are you?"));
    const reply = choices[0]?.message.content;
    expect(reply).toContain("stand-in");
    expect(reply).toContain("How are you?");
    expect(reply).toContain("AI_SERVICE_URL");
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
    expect(usage.completion_tokens).toBeGreaterThan(10);
  });

  it("answers a Persian question in Persian", () => {
    expect(builtinCompletion(ask("سلام، حالت چطور است؟")).choices[0]?.message.content).toContain(
      "شما گفتید",
    );
  });

  it("says that it cannot see pictures", () => {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
    ];
    expect(builtinCompletion(ask(content)).choices[0]?.message.content).toMatch(
      /What is this\?.*picture/,
    );
  });

  it("streams the words that it says unstreamed, in many chunks", () => {
    const request = ask("Hello there", { stream_options: { include_usage: true } });
    const chunks = chunksOf(request);
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    expect(text).toBe(builtinCompletion(request).choices[0]?.message.content);
    expect(chunks.length).toBeGreaterThan(10);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: expect.any(Number) },
    });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  it("sends no usage chunk where nobody asked for one", () => {
    expect(chunksOf(ask("Hi")).some((chunk) => "usage" in chunk)).toBe(false);
  });

  it("calls the tool that the user names, with arguments after its schema", () => {
    const { choices } = builtinCompletion(
      ask("Use get_weather for 12 days, in kelvin", { tools: [weather] }),
    );
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    const [call] = choices[0]?.message.tool_calls ?? [];
    expect(call?.function.name).toBe("get_weather");
    const given = JSON.parse(call?.function.arguments ?? "");
    expect(given).toEqual({ city: expect.any(String), unit: "kelvin", days: 7 });
  });

  it("streams a tool call in fragments that join to the same arguments", () => {
    const request = ask("get_weather please", { tools: [weather] });
    const fragments = chunksOf(request).flatMap(
      (chunk) => chunk.choices[0]?.delta.tool_calls ?? [],
    );
    expect(fragments[0]?.id).toMatch(/^call_/);
    expect(fragments.length).toBeGreaterThan(2);
    const whole = fragments.map((fragment) => fragment.function.arguments).join("");
    expect(whole).toBe(
      builtinCompletion(request).choices[0]?.message.tool_calls?.[0]?.function.arguments,
    );
  });

  it.each([
    ["none", undefined],
    ["required", "get_weather"],
    [{ type: "function", function: { name: "get_weather" } }, "get_weather"],
  ])("obeys tool_choice %j", (choice, called) => {
    const { choices } = builtinCompletion(
      ask(called === undefined ? "get_weather" : "hello", {
        tools: [weather],
        tool_choice: choice,
      }),
    );
    expect(choices[0]?.message.tool_calls?.[0]?.function.name).toBe(called);
  });

  it("speaks after a tool has answered, and does not call it again", () => {
    const messages = [
      { role: "user", content: "get_weather" },
      { role: "assistant", content: null, tool_calls: [] },
      { role: "tool", tool_call_id: "x", content: "It rains." },
    ];
    const { choices } = builtinCompletion({ model: "builtin", messages, tools: [weather] });
    expect(choices[0]?.message.content).toContain("It rains.");
  });

  it("ends at a stop sequence, and at the limit of tokens with the reason length", () => {
    const whole = builtinCompletion(ask("Hi")).choices[0];
    const stopped = builtinCompletion(ask("Hi", { stop: ["not"] })).choices[0];
    expect(stopped?.message.content).toBe(whole?.message.content?.split("not")[0]);
    const cut = builtinCompletion(ask("Hi", { max_tokens: 5 }));
    expect(cut.choices[0]?.finish_reason).toBe("length");
    expect(cut.usage.completion_tokens).toBeLessThanOrEqual(5);
  });

  it("cuts a reply of a hundred thousand words at the limit without weighing it word by word", () => {
    const long = {
      tool: "get_weather",
      recognise: () => null,
      tell: () => "word ".repeat(100_000),
    };
    const { choices, usage } = builtinCompletion({ ...answered("It rains."), max_tokens: 60_000 }, [
      long,
    ]);
    expect(choices[0]?.finish_reason).toBe("length");
    expect(usage.completion_tokens).toBeLessThanOrEqual(60_000);
    expect(usage.completion_tokens).toBeGreaterThan(59_000);
  });

  it("quotes a long message without cutting a character in two", () => {
    const { choices } = builtinCompletion(ask(`${"a".repeat(199)}😀😀`));
    expect(choices[0]?.message.content?.isWellFormed()).toBe(true);
  });

  it("gives as many choices as asked for, up to sixteen", () => {
    expect(builtinCompletion(ask("Hi", { n: 3 })).choices.map((choice) => choice.index)).toEqual([
      0, 1, 2,
    ]);
    expect(builtinCompletion(ask("Hi", { n: 1_000 })).choices).toHaveLength(16);
  });

  it("answers with JSON where it is asked for, after the schema", () => {
    const json = builtinCompletion(ask("Hi", { response_format: { type: "json_object" } }))
      .choices[0]?.message.content;
    expect(JSON.parse(json ?? "")).toHaveProperty("reply");
    const schema = {
      type: "object",
      properties: {
        name: { type: "string" },
        tags: { type: "array", items: { enum: ["a", "b"] } },
      },
      required: ["name", "tags"],
    };
    const made = builtinCompletion(
      ask("Ada", { response_format: { type: "json_schema", json_schema: { name: "x", schema } } }),
    ).choices[0]?.message.content;
    expect(JSON.parse(made ?? "")).toEqual({ name: "Ada", tags: ["a"] });
  });

  it("calls the tool that recognises a text, where it is offered, and tells what it answered", () => {
    const recogniser = {
      tool: "get_weather",
      recognise: (text: string) => (text === "Berlin" ? { city: text } : null),
      tell: (result: string, text: string) => (result === "{}" ? null : `${text}: ${result}`),
    };
    const calls = (text: string, more: object) =>
      builtinCompletion(ask(text, more), [recogniser]).choices[0]?.message.tool_calls?.map(
        (call) => call.function,
      );
    const called = [{ name: "get_weather", arguments: '{"city":"Berlin"}' }];
    expect(calls("Berlin", { tools: [weather] })).toEqual(called);
    expect(calls("Berlin", {})).toBeUndefined();
    expect(calls("Berlin", { tools: [weather], tool_choice: "none" })).toBeUndefined();
    expect(calls("Rome", { tools: [weather] })).toBeUndefined();
    const said = (result: string) =>
      builtinCompletion(answered(result), [recogniser]).choices[0]?.message.content;
    expect(said("It rains.")).toMatch(/^Berlin: It rains\.\n\n.*stand-in/);
    expect(said("{}")).toContain("The tool answered: “{}”");
  });

  it.each([undefined, null, 5, "x", {}, [null, 3, "a", { role: 4 }]])(
    "does not stumble over messages that are %j",
    (messages) => {
      expect(builtinCompletion({ model: "builtin", messages }).choices).toHaveLength(1);
      expect([...builtinChunks({ model: "builtin", messages })].length).toBeGreaterThan(0);
    },
  );
});

describe("builtin embeddings", () => {
  const vectors = (input: unknown, more: object = {}) =>
    builtinEmbeddings({ input, ...more }).data.map(({ embedding }) => embedding as number[]);
  const dot = (a: number[] = [], b: number[] = []) =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

  it("have length 1, are the same for the same text, and nearer for texts that share words", () => {
    const [cat, cats, tax] = vectors([
      "the black cat sleeps",
      "a black cat slept",
      "income tax declaration form",
    ]);
    expect(dot(cat, cat)).toBeCloseTo(1, 5);
    expect(vectors("the black cat sleeps")[0]).toEqual(cat);
    expect(dot(cat, cats)).toBeGreaterThan(dot(cat, tax) + 0.2);
  });

  it("come in base64 with the same numbers, since OpenAI's SDK asks for that", () => {
    const [plain] = vectors("hello");
    const encoded = builtinEmbeddings({ input: "hello", encoding_format: "base64" }).data[0]
      ?.embedding;
    const bytes = Uint8Array.from(atob(String(encoded)), (char) => char.charCodeAt(0));
    expect([...new Float32Array(bytes.buffer)]).toEqual(plain);
  });

  it("have as many dimensions as asked for", () => {
    expect(vectors("hello", { dimensions: 64 })[0]).toHaveLength(64);
    expect(vectors("")[0]).toHaveLength(256);
  });
});
