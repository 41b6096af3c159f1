import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../kernel/errors.ts";
import type { Fields } from "../fields.ts";
import { readResponsesBody, readResponsesRequest } from "./read-request.ts";

const BASE = { model: "m", input: "hi" };

/** As the route reads a body that goes on from nothing. */
function read(body: Fields, items: Fields[] = []) {
  const { body: parsed } = readResponsesBody(JSON.stringify(body));
  return readResponsesRequest(parsed, { items, input: parsed["input"] });
}

const messagesOf = (input: unknown, items: Fields[] = []) =>
  read({ ...BASE, input }, items).messages;
const call = (id: string) => ({ type: "function_call", call_id: id, name: "f", arguments: "{}" });
const calledAs = (id: string) => ({
  id,
  type: "function",
  function: { name: "f", arguments: "{}" },
});
const result = (id: string, output: unknown) => ({
  type: "function_call_output",
  call_id: id,
  output,
});

describe("a request of the Responses API", () => {
  it("becomes a chat completion with what both know, and nothing that nobody sent", () => {
    const body = {
      ...BASE,
      instructions: "Be brief",
      max_output_tokens: 5,
      temperature: 0,
      top_p: null,
      reasoning: { effort: "low" },
      text: { verbosity: "high" },
      safety_identifier: "user-1",
      metadata: { a: "b" },
      stream: true,
    };
    expect(read(body).raw).toEqual({
      model: "m",
      messages: [
        { role: "system", content: "Be brief" },
        { role: "user", content: "hi" },
      ],
      max_completion_tokens: 5,
      temperature: 0,
      reasoning_effort: "low",
      verbosity: "high",
      user: "user-1",
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it.each<[string, unknown, unknown]>([
    ["messages without a type", [{ role: "user", content: "a" }], [{ role: "user", content: "a" }]],
    [
      "parts of text and pictures",
      [
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "a" },
            { type: "input_image", image_url: "https://x/y.png", detail: "low" },
          ],
        },
      ],
      [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "image_url", image_url: { url: "https://x/y.png", detail: "low" } },
          ],
        },
      ],
    ],
    [
      "an answer's parts as one text",
      [
        {
          role: "assistant",
          content: [
            { type: "output_text", text: "a" },
            { type: "refusal", refusal: "b" },
          ],
        },
      ],
      [{ role: "assistant", content: "ab" }],
    ],
    [
      "calls that follow what was said as one message, each with its output",
      [
        { role: "assistant", content: "wait" },
        call("1"),
        call("2"),
        result("1", "one"),
        result("2", [{ type: "input_text", text: "two" }]),
      ],
      [
        { role: "assistant", content: "wait", tool_calls: [calledAs("1"), calledAs("2")] },
        { role: "tool", tool_call_id: "1", content: "one" },
        { role: "tool", tool_call_id: "2", content: "two" },
      ],
    ],
    [
      "pictures of tools after all outputs",
      [
        call("1"),
        call("2"),
        result("1", [{ type: "input_image", image_url: "data:image/png;base64,AA" }]),
        result("2", "two"),
        { role: "user", content: "and?" },
      ],
      [
        { role: "assistant", content: null, tool_calls: [calledAs("1"), calledAs("2")] },
        { role: "tool", tool_call_id: "1", content: "" },
        { role: "tool", tool_call_id: "2", content: "two" },
        {
          role: "user",
          content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA" } }],
        },
        { role: "user", content: "and?" },
      ],
    ],
    [
      "thoughts left out",
      [
        { type: "reasoning", summary: [] },
        { role: "user", content: "a" },
      ],
      [{ role: "user", content: "a" }],
    ],
  ])("reads %s", (_name, input, messages) => {
    expect(messagesOf(input)).toEqual(messages);
  });

  it("goes on from what was said before, also between a call and its output", () => {
    const earlier = [{ role: "user", content: "weather?" }, call("1")];
    expect(messagesOf([result("1", "sunny")], earlier)).toEqual([
      { role: "user", content: "weather?" },
      { role: "assistant", content: null, tool_calls: [calledAs("1")] },
      { role: "tool", tool_call_id: "1", content: "sunny" },
    ]);
  });

  it("chooses among tools as it is told", () => {
    const tools = ["a", "b"].map((name) => ({ type: "function", name, parameters: {} }));
    const chosen = (tool_choice: unknown) => {
      const { raw } = read({ ...BASE, tools, tool_choice });
      const names = (raw["tools"] as { function: { name: string } }[]).map((t) => t.function.name); // as this reader writes them
      return [names, raw["tool_choice"]];
    };
    expect(chosen("required")).toEqual([["a", "b"], "required"]);
    expect(chosen({ type: "function", name: "b" })).toEqual([
      ["a", "b"],
      { type: "function", function: { name: "b" } },
    ]);
    const some = { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "b" }] };
    expect(chosen(some)).toEqual([["b"], "auto"]);
  });

  it("is kept unless it says otherwise, and says what it goes on from", () => {
    const kept = (more: object) => {
      const { store, previousId } = readResponsesBody(JSON.stringify({ ...BASE, ...more }));
      return [store, previousId];
    };
    expect(kept({})).toEqual([true, null]);
    expect(kept({ store: null, previous_response_id: "resp_1" })).toEqual([true, "resp_1"]);
    expect(kept({ store: false })).toEqual([false, null]);
  });

  it.each<[string, Fields]>([
    ["conversation", { conversation: "conv_1" }],
    ["prompt", { prompt: { id: "p" } }],
    ["background", { background: true }],
    ["moderation", { moderation: { mode: "block" } }],
    ["context_management", { context_management: [{ type: "compaction" }] }],
    ["top_logprobs", { top_logprobs: 1 }],
    ["top_logprobs", { top_logprobs: "many" }],
    ["include.1", { include: ["reasoning.encrypted_content", "message.output_text.logprobs"] }],
    ["store", { store: "yes" }],
    ["previous_response_id", { previous_response_id: 1 }],
    ["input", { input: [] }],
    ["input", { input: undefined }],
    ["input.0.role", { input: [{ role: "tool", content: "x" }] }],
    ["input.0.type", { input: [{ type: "computer_call" }] }],
    ["input.0.content.0", { input: [{ role: "user", content: [{ type: "input_audio" }] }] }],
    [
      "input.0.content.0",
      { input: [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }] },
    ],
    ["input.0.call_id", { input: [{ type: "function_call_output", output: "x" }] }],
    ["max_output_tokens", { max_output_tokens: 0 }],
    ["text.format.type", { text: { format: { type: "grammar" } } }],
    ["tools.0.type", { tools: [{ type: "web_search" }] }],
    ["tool_choice.type", { tools: [{ type: "function", name: "a" }], tool_choice: { type: "x" } }],
  ])("is refused with the place that is wrong: %s", (param, more) => {
    expect(() => read({ ...BASE, ...more })).toThrow(
      expect.objectContaining({ code: "invalid_request", param }),
    );
  });

  it("is read or refused, whatever it holds", () => {
    const field = fc.constantFrom(
      "input",
      "instructions",
      "tools",
      "tool_choice",
      "text",
      "reasoning",
      "include",
      "store",
      "top_logprobs",
      "stream",
      "max_output_tokens",
      "user",
      "previous_response_id",
    );
    const item = fc.record(
      {
        type: fc.constantFrom("message", "function_call", "function_call_output", "reasoning", 1),
        role: fc.oneof(fc.constantFrom("user", "assistant", "system"), fc.jsonValue()),
        content: fc.jsonValue(),
        output: fc.jsonValue(),
        call_id: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const value = fc.oneof(fc.jsonValue(), fc.array(item), fc.array(fc.jsonValue()));
    fc.assert(
      fc.property(fc.dictionary(field, value), (more) => {
        try {
          expect(read({ ...BASE, ...more }).messages.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
      { numRuns: 400 },
    );
  });
});
