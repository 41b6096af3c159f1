import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Fields, objectOf } from "#core/chat/loose-json.ts";
import type { KindName } from "#core/providers/kinds/kind.ts";
import { kindOf } from "#core/providers/kinds/kinds.ts";
import { checkRequest as checkClaude } from "#test/providers/anthropic/request-rules.ts";
import { checkRequest as checkGemini } from "#test/providers/gemini/request-rules.ts";
import { kindRequest } from "./gathered.ts";

/** Any conversation that OpenAI's API takes. */
const text = fc.constantFrom("", "hi", "سلام", "  ", "{}", '{"a": 1}', "[1]");
const PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==";
const part = fc.oneof(
  text.map((said) => ({ type: "text", text: said })),
  fc
    .constantFrom(PNG, "https://a.test/b.webp")
    .map((url) => ({ type: "image_url", image_url: { url } })),
);
const content = fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 3 }));
const called = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom("call_1", "a:b/c", "toolu_9", "ü"),
    name: fc.constantFrom("weather", "now"),
  }),
  { minLength: 1, maxLength: 3, selector: ({ id }) => id },
);
const toolTurn = fc
  .record({ called, said: text, result: text })
  .map(({ called: calls, said, result }) => [
    {
      role: "assistant",
      content: said === "" ? null : said,
      tool_calls: calls.map(({ id, name }) => ({
        id,
        type: "function",
        function: { name, arguments: '{"city":"Bonn"}' },
      })),
    },
    ...calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: result })),
  ]);
const turn = fc.oneof(
  content.map((said) => [{ role: "user", content: said, name: "ann" }]),
  text.map((said) => [{ role: "assistant", content: said }]),
  fc
    .constantFrom("system", "developer")
    .chain((role) => text.map((said) => [{ role, content: said }])),
  toolTurn,
);
const messages = fc
  .array(turn, { maxLength: 6 })
  .map((turns): Fields[] => [...turns.flat(), { role: "user", content: "go on" }]);

const declared = { type: "object", properties: { city: { type: "string" } } };
const functions = ["weather", "now"].map((name) => ({
  type: "function",
  function: { name, parameters: declared },
}));
const schema = {
  type: "object",
  properties: { days: { type: "array", items: { type: "object", properties: {} } } },
};
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const parameters = fc.record({
  tools: optional(fc.constant(functions)),
  tool_choice: optional(
    fc.constantFrom("auto", "none", "required", { type: "function", function: { name: "now" } }),
  ),
  parallel_tool_calls: optional(fc.boolean()),
  temperature: optional(fc.constantFrom(0, 0.7, 1, 2)),
  top_p: optional(fc.constantFrom(0.1, 1)),
  reasoning_effort: optional(
    fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh", "max"),
  ),
  max_completion_tokens: optional(fc.constantFrom(1, 1_024, 1_025, 20_000)),
  stop: optional(fc.constantFrom("END", ["a", "b", "c", "d"])),
  seed: optional(fc.constant(7)),
  user: optional(fc.constant("ann")),
  n: optional(fc.constant(1)),
  metadata: optional(fc.constant({ a: "b" })),
  store: optional(fc.boolean()),
  service_tier: optional(fc.constant("auto")),
  stream: optional(fc.boolean()),
  response_format: optional(
    fc.constantFrom(
      { type: "text" },
      { type: "json_object" },
      { type: "json_schema", json_schema: { name: "days", schema } },
    ),
  ),
});

function sent(kind: KindName, targetModel: string, raw: Fields): Fields {
  const { request } = kindOf(kind).chat({ ...kindRequest(raw), targetModel });
  return request.by === "http" ? objectOf(JSON.parse(request.body)) : request.input;
}

/** Fields that were not given are absent, as clients send them. */
const given = (fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const CLAUDES = [
  "claude-3-5-haiku-latest",
  "claude-sonnet-4-20250514",
  "claude-sonnet-4-5-20250929",
  "claude-opus-4-6",
  "claude-opus-4-7",
  "claude-sonnet-5",
  "claude-opus-5-5",
];

describe.each(CLAUDES)("whatever OpenAI's API takes, %s", (model) => {
  it("is sent in a form that Anthropic takes", () => {
    fc.assert(
      fc.property(messages, parameters, (list, more) => {
        const raw = given({ ...more, messages: list });
        // A model that always thinks takes no order to call a tool, and says so itself.
        const forced =
          raw["tools"] && !["auto", "none", undefined].includes(raw["tool_choice"] as string); // compared only
        fc.pre(!(forced && model.endsWith("-5-5")));
        expect(() => checkClaude(sent("anthropic", model, raw), new Set())).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(["gemini-2.5-flash", "gemini-3-pro"])("whatever OpenAI's API takes, %s", (model) => {
  it("is sent in a form that Google takes", () => {
    fc.assert(
      fc.property(messages, parameters, (list, more) => {
        const raw = given({ ...more, messages: list });
        // Before Gemini 3 there is no JSON with tools, which Google says itself.
        fc.pre(!(raw["tools"] && raw["response_format"] && model.startsWith("gemini-2")));
        expect(() => checkGemini(sent("gemini", model, raw), model, new Set())).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});

describe("a conversation that nobody of the user's began", () => {
  it.each([
    [[{ role: "system", content: "Say hello." }]],
    [
      [
        { role: "assistant", content: "Hello!" },
        { role: "user", content: "Hi" },
      ],
    ],
    [[{ role: "user", content: "" }]],
  ])("is sent all the same: %j", (list) => {
    const raw = { messages: list };
    expect(() => checkClaude(sent("anthropic", "claude-opus-5-5", raw), new Set())).not.toThrow();
    expect(() =>
      checkGemini(sent("gemini", "gemini-3-pro", raw), "gemini-3-pro", new Set()),
    ).not.toThrow();
  });
});
