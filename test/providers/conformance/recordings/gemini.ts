import { plainEvents as plain, type Recordings } from "./recording.ts";

/** https://ai.google.dev/api/generate-content */
const geminiPart = (part: unknown, more = {}, finish = {}) => ({
  candidates: [{ content: { parts: [part], role: "model" }, index: 0, ...finish }],
  responseId: "resp_1",
  modelVersion: "gemini-3",
  ...more,
});

const whole = (parts: unknown[], finishReason: string, usageMetadata: object) =>
  JSON.stringify({
    candidates: [{ content: { parts, role: "model" }, finishReason, index: 0 }],
    usageMetadata,
    responseId: "resp_1",
  });

export const gemini: Recordings = {
  kind: "gemini",
  streams: [
    {
      scenario: "text with thoughts, its lines ended as Google ends them",
      wire: plain(
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
      scenario: "a signed call",
      wire: plain([
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
  ],
  wholes: [
    {
      scenario: "text after thoughts",
      wire: whole([{ text: "Let me see.", thought: true }, { text: "Grüße, 世界" }], "STOP", {
        promptTokenCount: 8,
        candidatesTokenCount: 4,
        thoughtsTokenCount: 6,
        cachedContentTokenCount: 2,
      }),
      text: "Grüße, 世界",
      reasoning: "Let me see.",
      calls: [],
      finish: "stop",
      usage: { prompt_tokens: 8, completion_tokens: 10, cached: 2 },
    },
    {
      scenario: "calls without ids",
      wire: whole(
        [
          {
            functionCall: { name: "weather", args: { city: "Köln" } },
            thoughtSignature: "c2lnbmVk",
          },
          { functionCall: { name: "now" } },
        ],
        "STOP",
        { promptTokenCount: 9, candidatesTokenCount: 5 },
      ),
      text: "",
      reasoning: "",
      calls: [
        { name: "weather", arguments: '{"city":"Köln"}' },
        { name: "now", arguments: "{}" },
      ],
      finish: "tool_calls",
      usage: { prompt_tokens: 9, completion_tokens: 5, cached: 0 },
    },
    {
      scenario: "a prompt that was blocked",
      wire: JSON.stringify({
        promptFeedback: { blockReason: "SAFETY" },
        usageMetadata: { promptTokenCount: 6 },
      }),
      text: "",
      reasoning: "",
      calls: [],
      finish: "content_filter",
      usage: { prompt_tokens: 6, completion_tokens: 0, cached: 0 },
    },
    {
      scenario: "an answer that was kept back for what it recites",
      wire: whole([], "RECITATION", { promptTokenCount: 6 }),
      text: "",
      reasoning: "",
      calls: [],
      finish: "content_filter",
      usage: { prompt_tokens: 6, completion_tokens: 0, cached: 0 },
    },
  ],
  embeddings: {
    wire: JSON.stringify({ embeddings: [{ values: [1, 0.5] }, { values: [-0.25, 0] }] }),
    promptTokens: null,
  },
  refusals: [
    refusal(400, "INVALID_ARGUMENT", [], 400),
    refusal(400, "INVALID_ARGUMENT", [{ reason: "API_KEY_INVALID" }], 401),
    refusal(400, "FAILED_PRECONDITION", [], 403),
    refusal(404, "NOT_FOUND", [], 404),
    refusal(429, "RESOURCE_EXHAUSTED", [], 429),
    refusal(503, "UNAVAILABLE", [], 503),
  ],
};

/** https://cloud.google.com/apis/design/errors */
function refusal(code: number, status: string, details: object[], meaning: number) {
  const message = "It failed.";
  return { status: code, body: { error: { code, message, status, details } }, meaning, message };
}
