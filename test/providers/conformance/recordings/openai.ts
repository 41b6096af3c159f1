import { plainEvents, type Recordings } from "./recording.ts";

const chunk = (delta: object, finish_reason: string | null = null) => ({
  id: "chatcmpl-1",
  model: "ours",
  choices: [{ index: 0, delta, finish_reason }],
});

export const openai: Recordings = {
  kind: "openai",
  streams: [
    {
      scenario: "text",
      wire: `${plainEvents([
        chunk({ role: "assistant", content: "Grüße, " }),
        chunk({ content: "世界" }),
        chunk({}, "stop"),
        { model: "ours", choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } },
      ])}data: [DONE]\n\n`,
      text: "Grüße, 世界",
      reasoning: "",
      calls: [],
      finish: "stop",
      usage: { prompt_tokens: 5, completion_tokens: 2, cached: 0 },
    },
  ],
  wholes: [
    {
      scenario: "text",
      wire: JSON.stringify({
        model: "ours",
        choices: [
          { index: 0, message: { role: "assistant", content: "Grüße" }, finish_reason: "stop" },
        ],
        usage: {
          prompt_tokens: 5,
          completion_tokens: 2,
          prompt_tokens_details: { cached_tokens: 3 },
        },
      }),
      text: "Grüße",
      reasoning: "",
      calls: [],
      finish: "stop",
      usage: { prompt_tokens: 5, completion_tokens: 2, cached: 3 },
    },
  ],
  embeddings: {
    wire: JSON.stringify({
      object: "list",
      model: "ours",
      data: [
        { object: "embedding", index: 0, embedding: [1, 0.5] },
        { object: "embedding", index: 1, embedding: [-0.25, 0] },
      ],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    }),
    promptTokens: 4,
  },
  refusals: [
    { status: 400, body: { error: { message: "No." } }, meaning: 400, message: "No." },
    { status: 429, body: { error: "Slow down." }, meaning: 429, message: "Slow down." },
    { status: 500, body: "a page", meaning: 500, message: null },
  ],
};
