import { describe, expect, it } from "vitest";
import { objectOf } from "#core/chat/loose-json.ts";
import type { KindName, KindRequest } from "#core/providers/kinds/kind.ts";
import { kindOf } from "#core/providers/kinds/kinds.ts";

const exchangeOf = (kind: KindName, raw: Record<string, unknown>, targetModel = "theirs") => {
  const request: KindRequest = {
    raw: { model: "ours", messages: [{ role: "user", content: "Hello" }], ...raw },
    stream: raw["stream"] === true,
    model: "ours",
    targetModel,
    maxOutputTokens: 1_000,
    requestId: "req_1",
    now: 1_700_000_000_000,
  };
  return kindOf(kind).chat(request);
};

/** The request as the provider gets it. */
function sent(kind: KindName, raw: Record<string, unknown>, targetModel?: string) {
  const { request } = exchangeOf(kind, raw, targetModel);
  return request.by === "http" ? objectOf(JSON.parse(request.body)) : request.input;
}

const call = (id: string, name: string, more = {}) => ({
  id,
  type: "function",
  function: { name, arguments: '{"city":"Bonn"}' },
  ...more,
});
const conversation = {
  messages: [
    { role: "system", content: "Be short." },
    { role: "user", content: "Weather?" },
    { role: "assistant", content: null, tool_calls: [call("a:1", "weather"), call("b", "now")] },
    { role: "tool", tool_call_id: "a:1", content: "rain" },
    { role: "tool", tool_call_id: "b", content: '{"hour":9}' },
    { role: "user", content: "And now?" },
  ],
  tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }],
  tool_choice: "required",
  parallel_tool_calls: false,
};

describe("a conversation with tools", () => {
  it("becomes turns that alternate for Anthropic, with several results in one of them", () => {
    const body = sent("anthropic", conversation);
    expect(body).toMatchObject({
      system: [{ type: "text", text: "Be short." }],
      max_tokens: 1_000,
      tool_choice: { type: "any", disable_parallel_tool_use: true },
    });
    expect(body["messages"]).toEqual([
      { role: "user", content: [{ type: "text", text: "Weather?" }] },
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "a_1", name: "weather", input: { city: "Bonn" } },
          { type: "tool_use", id: "b", name: "now", input: { city: "Bonn" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a_1", content: [{ type: "text", text: "rain" }] },
          {
            type: "tool_result",
            tool_use_id: "b",
            content: [{ type: "text", text: '{"hour":9}' }],
          },
          { type: "text", text: "And now?" },
        ],
      },
    ]);
  });

  it("names each result's function for Gemini, and stands in for a signature that was lost", () => {
    const body = sent("gemini", conversation, "gemini-3-pro");
    expect(body).toMatchObject({
      systemInstruction: { parts: [{ text: "Be short." }] },
      toolConfig: { functionCallingConfig: { mode: "ANY" } },
      contents: [
        { role: "user" },
        { role: "model", parts: [{ thoughtSignature: "skip_thought_signature_validator" }, {}] },
        {
          role: "user",
          parts: [
            { functionResponse: { name: "weather", response: { output: "rain" } } },
            { functionResponse: { name: "now", response: { hour: 9 } } },
          ],
        },
        { role: "user" },
      ],
    });
  });

  it("gives Gemini its signature back as it came", () => {
    const answer = {
      candidates: [
        {
          content: { parts: [{ functionCall: { name: "now" }, thoughtSignature: "c2ln" }] },
          finishReason: "STOP",
        },
      ],
    };
    const text = exchangeOf("gemini", {}).decodeWhole?.(JSON.stringify(answer)) ?? "";
    const { choices } = JSON.parse(text) as { choices: [{ message: unknown }] }; // as just made
    const body = sent("gemini", { messages: [{ role: "user", content: "?" }, choices[0].message] });
    expect(JSON.stringify(body["contents"])).toContain('"thoughtSignature":"c2ln"');
  });
});

describe("a picture", () => {
  const picture = (url: string) => ({
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
  });

  it("goes inline or by its address, in each provider's form", () => {
    const inline = picture("data:image/png;base64,AAAA");
    const source = { type: "base64", media_type: "image/png", data: "AAAA" };
    expect(sent("anthropic", inline)).toMatchObject({ messages: [{ content: [{ source }] }] });
    const inlineData = { mimeType: "image/png", data: "AAAA" };
    expect(sent("gemini", inline)).toMatchObject({ contents: [{ parts: [{ inlineData }] }] });
    const fileData = { mimeType: "image/webp", fileUri: "https://a.test/b.webp" };
    expect(sent("gemini", picture("https://a.test/b.webp"))).toMatchObject({
      contents: [{ parts: [{ fileData }] }],
    });
  });

  it("is refused by its place where its address is neither https nor data", () => {
    for (const kind of ["anthropic", "gemini"] as const)
      expect(() => sent(kind, picture("http://a.test/b.png"))).toThrow(
        /messages\[0\]\.content\[0\]/,
      );
  });
});

describe("what a provider cannot do", () => {
  it.each([
    ["anthropic", { n: 2 }, "n"],
    ["anthropic", { logprobs: true }, "logprobs"],
    ["anthropic", { presence_penalty: 0.5 }, "presence_penalty"],
    ["gemini", { logit_bias: { "1": 2 } }, "logit_bias"],
    ["workers_ai", { n: 2 }, "n"],
  ] as const)("is refused by %s for %j", (kind, raw, param) => {
    expect(() => sent(kind, raw)).toThrow(
      expect.objectContaining({ code: "invalid_request", param }),
    );
  });

  it("is no matter where it asks for nothing", () => {
    expect(sent("anthropic", { n: 1, logprobs: false, presence_penalty: 0 })).not.toHaveProperty(
      "n",
    );
  });
});

describe("thinking", () => {
  it("is an effort for Anthropic's newer models, and a budget within the limit for its older ones", () => {
    const raw = { reasoning_effort: "high", max_tokens: 4_000 };
    expect(sent("anthropic", raw, "claude-opus-5-5")).toMatchObject({
      thinking: { type: "adaptive" },
      output_config: { effort: "high" },
    });
    expect(sent("anthropic", raw, "claude-sonnet-4-5-20250929")).toMatchObject({
      max_tokens: 4_000,
      thinking: { type: "enabled", budget_tokens: 3_000 },
    });
  });
});

describe("a refusal", () => {
  it.each([
    ["anthropic", 400, { error: { message: "Your credit balance is too low" } }, 402],
    ["gemini", 400, { error: { details: [{ reason: "API_KEY_INVALID" }] } }, 401],
    ["workers_ai", 400, { errors: [{ code: 5007, message: "No such model" }] }, 404],
    ["workers_ai", 429, { errors: [{ code: 3040, message: "No capacity" }] }, 503],
  ] as const)("of %s with %d means what it says", (kind, status, body, meaning) => {
    expect(kindOf(kind).readRefusal(status, JSON.stringify(body)).status).toBe(meaning);
  });

  it("of Google says when to come back", () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.07s" }];
    const text = JSON.stringify({ error: { code: 429, details } });
    expect(kindOf("gemini").readRefusal(429, text).retryAfterSeconds).toBe(35);
  });
});
