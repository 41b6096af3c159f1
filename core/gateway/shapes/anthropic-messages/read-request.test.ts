import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../kernel/errors.ts";
import type { Fields } from "../fields.ts";
import { readMessagesRequest } from "./read-request.ts";

const BASE = { model: "m", max_tokens: 10, messages: [{ role: "user", content: "hi" }] };
const read = (body: Fields) => readMessagesRequest(JSON.stringify({ ...BASE, ...body }));
/** As it is sent to a provider: what only Anthropic's own API knows travels beside it, and is no part of the JSON. */
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const use = (id: string) => ({ type: "tool_use", id, name: "f", input: { a: 1 } });
const used = (id: string) => ({
  id,
  type: "function",
  function: { name: "f", arguments: '{"a":1}' },
});

describe("a request of Anthropic's Messages API", () => {
  it("becomes a chat completion with what both know, and nothing that nobody sent", () => {
    const body = {
      system: [{ type: "text", text: "Be brief", cache_control: { type: "ephemeral" } }],
      stop_sequences: ["END"],
      temperature: 1,
      top_k: 5,
      metadata: { user_id: "user-1" },
      stream: true,
    };
    expect(sent(read(body).raw)).toEqual({
      model: "m",
      messages: [
        { role: "system", content: "Be brief" },
        { role: "user", content: "hi" },
      ],
      max_tokens: 10,
      temperature: 1,
      stop: ["END"],
      user: "user-1",
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("puts results of tools right after their calls, and their pictures into the user's message", () => {
    const picture = { type: "base64", media_type: "image/png", data: "AA" };
    expect(
      sent(
        read({
          messages: [
            { role: "user", content: "go" },
            { role: "assistant", content: [{ type: "text", text: "wait" }, use("1"), use("2")] },
            {
              role: "user",
              content: [
                { type: "text", text: "here" },
                { type: "tool_result", tool_use_id: "1", content: "one" },
                {
                  type: "tool_result",
                  tool_use_id: "2",
                  is_error: true,
                  content: [
                    { type: "text", text: "two" },
                    { type: "image", source: picture },
                  ],
                },
              ],
            },
          ],
        }).messages.slice(1),
      ),
    ).toEqual([
      { role: "assistant", content: "wait", tool_calls: [used("1"), used("2")] },
      { role: "tool", tool_call_id: "1", content: "one" },
      {
        role: "tool",
        tool_call_id: "2",
        content: "Error: two\n(What the tool showed follows in the next message.)",
      },
      {
        role: "user",
        content: [
          { type: "text", text: "here" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA" } },
        ],
      },
    ]);
  });

  it.each<[Fields, unknown]>([
    [{ thinking: { type: "enabled", budget_tokens: 1_024 } }, "low"],
    [{ thinking: { type: "enabled", budget_tokens: 8_000 } }, "medium"],
    [{ thinking: { type: "enabled", budget_tokens: 30_000 } }, "high"],
    [{ thinking: { type: "disabled" }, output_config: { effort: "high" } }, undefined],
    [{ thinking: { type: "adaptive" }, output_config: { effort: "max" } }, "max"],
  ])("thinks as hard as it is asked to: %j", (body, effort) => {
    expect(read(body).raw["reasoning_effort"]).toBe(effort);
  });

  it.each<[unknown, unknown]>([
    [{ type: "any" }, { tool_choice: "required" }],
    [
      { type: "auto", disable_parallel_tool_use: true },
      { tool_choice: "auto", parallel_tool_calls: false },
    ],
    [{ type: "tool", name: "f" }, { tool_choice: { type: "function", function: { name: "f" } } }],
  ])("chooses among tools as it is told: %j", (tool_choice, expected) => {
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    expect(read({ tools, tool_choice }).raw).toMatchObject(expected as Fields);
  });

  it.each<[string, Fields]>([
    ["max_tokens", { max_tokens: undefined }],
    ["max_tokens", { max_tokens: 0 }],
    ["container", { container: "c" }],
    ["mcp_servers", { mcp_servers: [] }],
    ["messages", { messages: [] }],
    ["messages.0.role", { messages: [{ role: "tool", content: "x" }] }],
    ["messages.0.content", { messages: [{ role: "user", content: [] }] }],
    ["messages.0.content.0.type", { messages: [{ role: "user", content: [{ type: "audio" }] }] }],
    [
      "messages.0.content.0.source.type",
      { messages: [{ role: "user", content: [{ type: "image", source: { type: "file" } }] }] },
    ],
    ["messages.0.content.0.type", { messages: [{ role: "assistant", content: [{ type: "x" }] }] }],
    ["tools.0.type", { tools: [{ type: "bash_20250124", name: "bash" }] }],
    ["tools.0.input_schema", { tools: [{ name: "f" }] }],
    ["stop_sequences.0", { stop_sequences: [1] }],
    ["thinking.budget_tokens", { thinking: { type: "enabled" } }],
  ])("is refused with the place that is wrong: %s", (param, more) => {
    expect(() => read(more)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  });

  it("is read or refused, whatever it holds", () => {
    const field = fc.constantFrom(
      "system",
      "messages",
      "tools",
      "tool_choice",
      "metadata",
      "stop_sequences",
      "stream",
      "thinking",
      "output_config",
      "max_tokens",
      "temperature",
    );
    const block = fc.record(
      {
        type: fc.constantFrom("text", "image", "document", "tool_use", "tool_result", "thinking"),
        text: fc.jsonValue(),
        source: fc.jsonValue(),
        content: fc.jsonValue(),
        input: fc.jsonValue(),
        id: fc.jsonValue(),
        tool_use_id: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    );
    const message = fc.record({
      role: fc.constantFrom("user", "assistant", "system"),
      content: fc.oneof(fc.jsonValue(), fc.array(block)),
    });
    const value = fc.oneof(fc.jsonValue(), fc.array(message), fc.array(fc.jsonValue()));
    fc.assert(
      fc.property(fc.dictionary(field, value), (more) => {
        try {
          expect(read(more).messages.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
      { numRuns: 400 },
    );
  });
});
