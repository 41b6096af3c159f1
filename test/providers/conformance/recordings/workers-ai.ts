import { plainEvents as plain, type Recordings } from "./recording.ts";

export const workersAi: Recordings = {
  kind: "workers_ai",
  streams: [
    {
      scenario: "the text of an older model",
      wire: `${plain([
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
      scenario: "the chunks of a newer model",
      wire: `${plain([
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
  ],
  wholes: [
    {
      scenario: "an older model's answer with calls, which are flat and have no ids",
      wire: JSON.stringify({
        response: null,
        tool_calls: [
          { name: "weather", arguments: { city: "Köln" } },
          { name: "now", arguments: {} },
        ],
        usage: { prompt_tokens: 7, completion_tokens: 3 },
      }),
      text: "",
      reasoning: "",
      calls: [
        { name: "weather", arguments: '{"city":"Köln"}' },
        { name: "now", arguments: "{}" },
      ],
      finish: "tool_calls",
      usage: { prompt_tokens: 7, completion_tokens: 3, cached: 0 },
    },
    {
      scenario: "an older model's answer in JSON, which comes as the object itself",
      wire: JSON.stringify({
        response: { city: "Köln" },
        usage: { prompt_tokens: 7, completion_tokens: 3 },
      }),
      text: '{"city":"Köln"}',
      reasoning: "",
      calls: [],
      finish: "stop",
      usage: { prompt_tokens: 7, completion_tokens: 3, cached: 0 },
    },
    {
      scenario: "a newer model's answer",
      wire: JSON.stringify({
        id: "x",
        object: "chat.completion",
        model: "@cf/x",
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: "Grüße", reasoning_content: "Hm." },
            finish_reason: "length",
          },
        ],
        usage: { prompt_tokens: 7, completion_tokens: 3 },
      }),
      text: "Grüße",
      reasoning: "Hm.",
      calls: [],
      finish: "length",
      usage: { prompt_tokens: 7, completion_tokens: 3, cached: 0 },
    },
  ],
  embeddings: {
    wire: JSON.stringify({
      shape: [2, 2],
      data: [
        [1, 0.5],
        [-0.25, 0],
      ],
      usage: { prompt_tokens: 5 },
    }),
    promptTokens: 5,
  },
  refusals: [
    refusal(400, 5006, 400),
    refusal(400, 5007, 404),
    refusal(405, 5019, 403),
    refusal(429, 3036, 402),
    refusal(429, 3040, 503),
  ],
};

/** https://developers.cloudflare.com/workers-ai/platform/errors/ */
function refusal(status: number, code: number, meaning: number) {
  const message = "AiError: it failed";
  return { status, body: { errors: [{ code, message }] }, meaning, message };
}
