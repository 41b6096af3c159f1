import { describe, expect, it } from "vitest";
import { AppError } from "../kernel/errors.ts";
import type { ChatRequest } from "../gateway/chat-request.ts";
import { NATIVE } from "../providers/kinds/anthropic/native.ts";
import { compileGuardRails } from "./guard-rails.ts";
import { guardEmbeddings, guardRequest } from "./guard-request.ts";
import { guardRail } from "./rules.ts";

const rails = compileGuardRails(
  [
    guardRail.parse({ name: "falcon", phrases: ["Project Falcon"], action: "deny" }),
    guardRail.parse({ name: "pii", pii: ["email"], action: "mask" }),
  ],
  "digest",
);

function request(messages: Record<string, unknown>[], more: object = {}): ChatRequest {
  const raw = { model: "m", messages, temperature: 0.5, ...more };
  return { model: "m", messages, stream: false, user: null, raw };
}

describe("a request", () => {
  it("is the very same where nothing is masked, pictures and unknown fields with it", () => {
    const content = [
      { type: "text", text: "See" },
      { type: "image_url", image_url: { url: "data:image/png;base64,YWRhQGV4YW1wbGUub3Jn" } },
    ];
    const plain = request([{ role: "user", content, name: "ada" }], { tools: [], seed: 1 });
    expect(guardRequest(rails, plain)).toBe(plain);
  });

  it("is masked in a copy, in the messages that go out as well as in those that are counted", () => {
    const asked = request([{ role: "user", content: "I am ada@example.org" }], {
      prediction: { type: "content", content: "Dear ada@example.org" },
    });
    const guarded = guardRequest(rails, asked);
    expect(guarded.raw).toEqual({
      model: "m",
      temperature: 0.5,
      messages: [{ role: "user", content: "I am [EMAIL]" }],
      prediction: { type: "content", content: "Dear [EMAIL]" },
    });
    expect(guarded.messages).toBe(guarded.raw["messages"]);
    expect(asked.messages[0]?.["content"]).toBe("I am ada@example.org");
  });

  it.each([
    ["a text", { content: "project falcon" }],
    ["a part", { content: [{ type: "text", text: "Project Falcon" }] }],
    ["a list of texts", { content: ["Project Falcon"] }],
    ["an escape", { tool_calls: [{ function: { arguments: '{"a":"Project\\u0020Falcon"}' } }] }],
    [
      "a name of an argument",
      { tool_calls: [{ function: { arguments: '{"Project Falcon":1}' } }] },
    ],
    ["an old call", { function_call: { arguments: '"Project Falcon"' } }],
    ["arguments that are no JSON", { tool_calls: [{ function: { arguments: "Project Falcon" } }] }],
    ["a custom tool", { tool_calls: [{ type: "custom", custom: { input: "Project Falcon" } }] }],
    ["reasoning", { reasoning_content: "Project Falcon" }],
    [
      "a signed thought",
      { extra_content: { anthropic: { thinking_blocks: [{ thinking: "Project Falcon" }] } } },
    ],
    [
      "a thought of the Messages API",
      { [NATIVE]: { thinking_blocks: [{ thinking: "Project Falcon" }] } },
    ],
  ])("is refused for what is in %s", (_, message) => {
    const act = () => guardRequest(rails, request([{ role: "assistant", ...message }]));
    expect(act).toThrow(AppError);
    try {
      act();
    } catch (error) {
      expect(error).toMatchObject({ code: "content_filter", param: "messages" });
      expect(String(error)).toContain('"falcon"');
      expect(String(error)).not.toMatch(/project/i);
    }
  });

  it("loses signed thoughts that would have to be masked, and keeps others", () => {
    const thought = (thinking: string) => ({
      [NATIVE]: { thinking_blocks: [{ thinking, signature: "s" }] },
    });
    const asked = request([
      { role: "assistant", content: "Hi", ...thought("of ada@example.org") },
      { role: "assistant", content: "Hi", ...thought("of nobody") },
    ]);
    const [one, other] = guardRequest(rails, asked).messages;
    expect(one).toEqual({ role: "assistant", content: "Hi" });
    expect(other).toBe(asked.messages[1]);
  });
});

describe("patterns that take too much work for a text", () => {
  const costly = compileGuardRails(
    [guardRail.parse({ name: "costly", pattern: "a[ab]{0,900}c", action: "mask" })],
    "digest",
  );
  /** Neither a nor b comes twice at the same distance, so that no state of the automaton serves again. */
  const random = (length: number) =>
    Array.from({ length }, (_, index) => (Math.sin(index * index) > 0 ? "a" : "b")).join("");

  it("are given up, and the request is refused, in one text or in many", () => {
    const one = [{ role: "user", content: random(100_000) }];
    const many = Array.from({ length: 100 }, () => ({ role: "user", content: random(1_000) }));
    for (const messages of [one, [...many, ...one]])
      expect(() => guardRequest(costly, request(messages))).toThrow(/too much work/);
  });

  it("are no hindrance for other texts", () => {
    const plain = request([{ role: "user", content: "Nothing of the kind. ".repeat(50_000) }]);
    expect(guardRequest(costly, plain)).toBe(plain);
  });
});

describe("texts to embed", () => {
  it("are masked, and lists of tokens refused", () => {
    const raw = { model: "m", input: ["fine", "ada@example.org"], dimensions: 3 };
    expect(guardEmbeddings(rails, raw)).toEqual({ ...raw, input: ["fine", "[EMAIL]"] });
    const plain = { model: "m", input: "fine" };
    expect(guardEmbeddings(rails, plain)).toBe(plain);
    for (const input of [[1, 2], [[1, 2]], [1, "ada@example.org"]])
      expect(() => guardEmbeddings(rails, { input })).toThrow(/guard rails cannot read/);
  });
});
