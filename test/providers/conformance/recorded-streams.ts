import type { KindName } from "#core/providers/kinds/kind.ts";

/** A streamed answer in a provider's own form, as its documentation has it, and what it says. */
export interface RecordedStream {
  kind: KindName;
  scenario: string;
  sse: string;
  text: string;
  reasoning: string;
  calls: { name: string; arguments: string }[];
  finish: string;
  usage: { prompt_tokens: number; completion_tokens: number; cached: number };
}

const named = (events: Record<string, unknown>[]) =>
  events
    .map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
const plain = (events: unknown[], end = "\n\n") =>
  events.map((event) => `data: ${JSON.stringify(event)}${end}`).join("");

/** https://platform.claude.com/docs/en/build-with-claude/streaming */
const anthropicStart = (usage: Record<string, number>) => ({
  type: "message_start",
  message: { id: "msg_1", type: "message", role: "assistant", content: [], model: "claude", usage },
});
const anthropicEnd = (reason: string, outputTokens: number) => [
  {
    type: "message_delta",
    delta: { stop_reason: reason, stop_sequence: null },
    usage: { output_tokens: outputTokens },
  },
  { type: "message_stop" },
];
const delta = (index: number, value: unknown) => ({
  type: "content_block_delta",
  index,
  delta: value,
});

/** https://ai.google.dev/api/generate-content */
const geminiPart = (part: unknown, more = {}, finish = {}) => ({
  candidates: [{ content: { parts: [part], role: "model" }, index: 0, ...finish }],
  responseId: "resp_1",
  modelVersion: "gemini-3",
  ...more,
});

export const RECORDED_STREAMS: RecordedStream[] = [
  {
    kind: "anthropic",
    scenario: "text after a cached prompt",
    sse: named([
      anthropicStart({
        input_tokens: 5,
        cache_read_input_tokens: 20,
        cache_creation_input_tokens: 3,
      }),
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "ping" },
      delta(0, { type: "text_delta", text: "Grüße, " }),
      delta(0, { type: "text_delta", text: "世界 🌍" }),
      { type: "content_block_stop", index: 0 },
      ...anthropicEnd("end_turn", 15),
    ]),
    text: "Grüße, 世界 🌍",
    reasoning: "",
    calls: [],
    finish: "stop",
    usage: { prompt_tokens: 28, completion_tokens: 15, cached: 20 },
  },
  {
    kind: "anthropic",
    scenario: "thoughts and two calls, one without input",
    sse: named([
      anthropicStart({ input_tokens: 472 }),
      {
        type: "content_block_start",
        index: 0,
        content_block: { type: "thinking", thinking: "", signature: "" },
      },
      delta(0, { type: "thinking_delta", thinking: "The weather " }),
      delta(0, { type: "thinking_delta", thinking: "first." }),
      delta(0, { type: "signature_delta", signature: "EqQBCg" }),
      { type: "content_block_stop", index: 0 },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "tool_use", id: "toolu_1", name: "weather", input: {} },
      },
      delta(1, { type: "input_json_delta", partial_json: "" }),
      delta(1, { type: "input_json_delta", partial_json: '{"city":' }),
      delta(1, { type: "input_json_delta", partial_json: '"Köln"}' }),
      { type: "content_block_stop", index: 1 },
      {
        type: "content_block_start",
        index: 2,
        content_block: { type: "tool_use", id: "toolu_2", name: "now", input: {} },
      },
      { type: "content_block_stop", index: 2 },
      ...anthropicEnd("tool_use", 89),
    ]),
    text: "",
    reasoning: "The weather first.",
    calls: [
      { name: "weather", arguments: '{"city":"Köln"}' },
      { name: "now", arguments: "{}" },
    ],
    finish: "tool_calls",
    usage: { prompt_tokens: 472, completion_tokens: 89, cached: 0 },
  },
  {
    kind: "gemini",
    scenario: "text with thoughts, its lines ended as Google ends them",
    sse: plain(
      [
        geminiPart({ text: "Let me see.", thought: true }),
        geminiPart({ text: "Grüße, " }),
        geminiPart(
          { text: "世界 🌍" },
          {
            usageMetadata: {
              promptTokenCount: 8,
              candidatesTokenCount: 4,
              thoughtsTokenCount: 6,
              cachedContentTokenCount: 2,
              totalTokenCount: 18,
            },
          },
          { finishReason: "STOP" },
        ),
      ],
      "\r\n\r\n",
    ),
    text: "Grüße, 世界 🌍",
    reasoning: "Let me see.",
    calls: [],
    finish: "stop",
    usage: { prompt_tokens: 8, completion_tokens: 10, cached: 2 },
  },
  {
    kind: "gemini",
    scenario: "a signed call",
    sse: plain([
      geminiPart({
        functionCall: { id: "fc_1", name: "weather", args: { city: "Köln" } },
        thoughtSignature: "c2lnbmVk",
      }),
      geminiPart(
        { text: "" },
        { usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 5 } },
        { finishReason: "STOP" },
      ),
    ]),
    text: "",
    reasoning: "",
    calls: [{ name: "weather", arguments: '{"city":"Köln"}' }],
    finish: "tool_calls",
    usage: { prompt_tokens: 9, completion_tokens: 5, cached: 0 },
  },
  {
    kind: "workers_ai",
    scenario: "the text of an older model",
    sse: `${plain([
      { response: "Grüße, ", p: "abc" },
      { response: "世界 🌍" },
      { response: "", usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } },
    ])}data: [DONE]\n\n`,
    text: "Grüße, 世界 🌍",
    reasoning: "",
    calls: [],
    finish: "stop",
    usage: { prompt_tokens: 7, completion_tokens: 3, cached: 0 },
  },
  {
    kind: "workers_ai",
    scenario: "the chunks of a newer model",
    sse: `${plain([
      { id: "x", choices: [{ index: 0, delta: { content: "Grüße" }, finish_reason: null }] },
      { id: "x", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { id: "x", choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } },
    ])}data: [DONE]\n\n`,
    text: "Grüße",
    reasoning: "",
    calls: [],
    finish: "stop",
    usage: { prompt_tokens: 7, completion_tokens: 3, cached: 0 },
  },
];
