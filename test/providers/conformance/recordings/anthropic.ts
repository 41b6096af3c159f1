import type { Recordings } from "./recording.ts";

const named = (events: Record<string, unknown>[]) =>
  events
    .map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
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

export const anthropic: Recordings = {
  kind: "anthropic",
  streams: [
    {
      scenario: "text after a cached prompt",
      wire: named([
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
      scenario: "thoughts and two calls, one without input",
      wire: named([
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
      scenario: "a thought between two texts, and a stop sequence",
      wire: named([
        anthropicStart({ input_tokens: 9 }),
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        delta(0, { type: "text_delta", text: "First" }),
        { type: "content_block_stop", index: 0 },
        {
          type: "content_block_start",
          index: 1,
          content_block: { type: "redacted_thinking", data: "EmwKAhgB" },
        },
        { type: "content_block_stop", index: 1 },
        { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
        delta(2, { type: "text_delta", text: " then" }),
        { type: "content_block_stop", index: 2 },
        ...anthropicEnd("stop_sequence", 4),
      ]),
      text: "First then",
      reasoning: "",
      calls: [],
      finish: "stop",
      usage: { prompt_tokens: 9, completion_tokens: 4, cached: 0 },
    },
  ],
  wholes: [
    {
      scenario: "text after thoughts and a cached prompt",
      wire: JSON.stringify({
        id: "msg_1",
        type: "message",
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Let me see.", signature: "EqQBCg" },
          { type: "text", text: "Grüße, " },
          { type: "text", text: "世界" },
        ],
        stop_reason: "end_turn",
        stop_sequence: null,
        usage: {
          input_tokens: 5,
          cache_read_input_tokens: 20,
          cache_creation_input_tokens: 3,
          output_tokens: 15,
        },
      }),
      text: "Grüße, 世界",
      reasoning: "Let me see.",
      calls: [],
      finish: "stop",
      usage: { prompt_tokens: 28, completion_tokens: 15, cached: 20 },
    },
    {
      scenario: "two calls",
      wire: JSON.stringify({
        id: "msg_2",
        type: "message",
        role: "assistant",
        content: [
          { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Köln" } },
          { type: "tool_use", id: "toolu_2", name: "now", input: {} },
        ],
        stop_reason: "tool_use",
        usage: { input_tokens: 7, output_tokens: 9 },
      }),
      text: "",
      reasoning: "",
      calls: [
        { name: "weather", arguments: '{"city":"Köln"}' },
        { name: "now", arguments: "{}" },
      ],
      finish: "tool_calls",
      usage: { prompt_tokens: 7, completion_tokens: 9, cached: 0 },
    },
  ],
  embeddings: null,
  refusals: [
    refusal(400, "max_tokens: Field required", 400),
    refusal(400, "Your credit balance is too low to access the Anthropic API.", 402),
    refusal(401, "invalid x-api-key", 401),
    refusal(404, "model: claude-none", 404),
    refusal(413, "Request exceeds the maximum size", 413),
    refusal(429, "This request would exceed your rate limit.", 429),
    refusal(529, "Overloaded", 529),
  ],
};

/** https://platform.claude.com/docs/en/api/errors */
function refusal(status: number, message: string, meaning: number) {
  const body = { type: "error", error: { type: "any", message } };
  return { status, body, meaning, message };
}
