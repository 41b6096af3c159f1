import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Fault } from "#test/providers/fault.ts";
import type { Script } from "#test/providers/scripted-requests.ts";
import { type KindsStack, startKinds, type Target } from "./kinds-stack.ts";

let kinds: KindsStack;
beforeAll(async () => {
  kinds = await startKinds(inject("postgres"));
});
afterAll(() => kinds?.stop());

type Provider = Target["provider"];
const MODELS: Record<Provider, string> = {
  openai: "gpt",
  anthropic: "claude-sonnet-4-6",
  gemini: "gemini-3-pro",
  workers_ai: "@cf/openai/gpt-oss",
};
const says = (content: string) => [{ role: "user" as const, content }];
const slug = (text: string) => text.replaceAll(/[^a-z0-9]+/gi, "-").toLowerCase();

/** A target of its own, so that its circuit is nobody else's, which does what the script says. */
function target(provider: Provider, of: string, script: Script = {}): Target {
  const model = `${MODELS[provider]}-${slug(of)}`;
  const servers = {
    openai: kinds.openaiServer,
    anthropic: kinds.anthropicServer,
    gemini: kinds.geminiServer,
    workers_ai: kinds.aiService,
  };
  servers[provider].script(model, script);
  return { provider, model };
}

async function askWhole(model: string): Promise<string | null> {
  const completion = await kinds.openai().chat.completions.create({ model, messages: says("hi") });
  return completion.choices[0]?.message.content ?? null;
}

async function askStreamed(model: string): Promise<{ text: string; reasons: unknown[] }> {
  const stream = await kinds
    .openai()
    .chat.completions.create({ model, messages: says("hi"), stream: true });
  let text = "";
  const reasons: unknown[] = [];
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
  }
  return { text, reasons };
}

async function rejection(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}

/** How each kind says that it has too much to do. */
const OVERLOADS: [Provider, Fault][] = [
  ["anthropic", { status: 529 }],
  ["gemini", { status: 503 }],
  ["workers_ai", { status: 429, finishReason: "3040" }],
  ["openai", { status: 503 }],
];
const NEXT: Record<Provider, Provider> = {
  anthropic: "openai",
  gemini: "anthropic",
  workers_ai: "gemini",
  openai: "workers_ai",
};

describe.each(OVERLOADS)("a target of %s that has too much to do", (provider, overload) => {
  const next = NEXT[provider];

  it(`gives way to one of ${next}, and the record is of that one`, async () => {
    const name = `overload/${provider}`;
    await kinds.model(name, [target(provider, name, overload), target(next, name)]);
    expect(await askWhole(name)).toBe("You said: hi");
    expect(await askStreamed(name)).toEqual({ text: "You said: hi", reasons: ["stop"] });
    const message = await kinds
      .anthropic()
      .messages.create({ model: name, max_tokens: 100, messages: says("hi") });
    expect(message.content.at(-1)).toMatchObject({ type: "text", text: "You said: hi" });
    for (const record of await kinds.waitForRecords(name, 3))
      expect(record).toMatchObject({ status: 200, provider: next, attempt: 2, estimated: false });
  });

  it.each(["error_event", "cut", "clean_cut", "half_event"] as const)(
    "gives way in mid-stream as long as no token was sent: %s",
    async (ending) => {
      const name = `head/${provider}-${ending}`;
      const broken = target(provider, name, { stopAfter: 0, ending });
      await kinds.model(name, [broken, target(next, name)]);
      expect(await askStreamed(name)).toEqual({ text: "You said: hi", reasons: ["stop"] });
      const [record] = await kinds.waitForRecords(name, 1);
      expect(record).toMatchObject({ status: 200, provider: next, attempt: 2 });
    },
  );

  it.each(["error_event", "cut", "clean_cut", "half_event"] as const)(
    "never looks complete when it breaks off after its first token: %s",
    async (ending) => {
      const name = `tail/${provider}-${ending}`;
      const broken = target(provider, name, { stopAfter: 2, ending });
      await kinds.model(name, [broken, target(next, name)]);
      expect(await rejection(askStreamed(name))).toBeInstanceOf(OpenAI.APIError);
      const stream = kinds
        .anthropic()
        .messages.stream({ model: name, max_tokens: 100, messages: says("hi") });
      expect(await rejection(stream.finalMessage())).toBeInstanceOf(Anthropic.APIError);
      for (const record of await kinds.waitForRecords(name, 2))
        expect(record).toMatchObject({ status: 502, provider, attempt: 1 });
    },
  );
});

/** What the only target of a model answers with, and how both clients know it. */
const ERRORS: [Provider, string, Fault, number, number][] = [
  ["anthropic", "413 too large", { status: 413 }, 413, 413],
  ["anthropic", "429 limited", { status: 429, headers: { "retry-after": "7" } }, 429, 429],
  ["anthropic", "500 failed", { status: 500 }, 502, 502],
  ["anthropic", "504 too slow", { status: 504 }, 504, 504],
  ["anthropic", "529 overloaded", { status: 529 }, 503, 529],
  ["gemini", "429 limited", { status: 429 }, 429, 429],
  ["gemini", "500 failed", { status: 500 }, 502, 502],
  ["gemini", "503 overloaded", { status: 503 }, 503, 529],
  ["gemini", "a call that makes no sense", { finishReason: "MALFORMED_FUNCTION_CALL" }, 502, 502],
  ["workers_ai", "429 out of capacity", { status: 429, finishReason: "3040" }, 503, 529],
  ["workers_ai", "429 used up", { status: 429, finishReason: "3036" }, 502, 502],
  ["workers_ai", "500 failed", { status: 500 }, 502, 502],
];

describe("a failure of the only target", () => {
  it.each(ERRORS)(
    "of %s, %s, is told in both shapes",
    async (provider, what, fault, status, theirs) => {
      const name = `error/${provider}-${slug(what)}`;
      await kinds.model(name, [target(provider, name, fault)]);
      const error = await rejection(askWhole(name));
      expect(error).toMatchObject({ status, requestID: expect.stringMatching(/^req_/) });
      const other = await rejection(
        kinds.anthropic().messages.create({ model: name, max_tokens: 100, messages: says("hi") }),
      );
      expect(other).toMatchObject({ status: theirs, requestID: expect.stringMatching(/^req_/) });
      for (const record of await kinds.waitForRecords(name, 2)) {
        expect(record).toMatchObject({ status });
        // What timed out may have been worked on, and be charged for.
        if (status !== 504) expect(record.cost_micros).toBe(0);
      }
    },
  );

  it.each([
    ["anthropic", "7", { status: 429, headers: { "retry-after": "7" } }],
    ["gemini", "35", { status: 429 }], // in the body, as 34.07 s
  ] as [Provider, string, Fault][])(
    "says when to come back: %s",
    async (provider, seconds, fault) => {
      const name = `retry/${provider}`;
      await kinds.model(name, [target(provider, name, fault)]);
      const error = await rejection(askWhole(name));
      expect(error).toBeInstanceOf(OpenAI.RateLimitError);
      if (error instanceof OpenAI.RateLimitError)
        expect(error.headers?.get("retry-after")).toBe(seconds);
    },
  );

  it.each(["anthropic", "gemini", "workers_ai"] as const)(
    "is of the model where %s does not know it, without its name there",
    async (provider) => {
      const ours = `unknown/${provider}`;
      await kinds.model(ours, [{ provider, model: "no-such-model" }]);
      const error = await rejection(askWhole(ours));
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: "model_not_found" });
      expect(String(error)).not.toContain("no-such-model");
    },
  );

  it.each(["anthropic", "gemini"] as const)(
    "is the operator's where the key is wrong: %s",
    async (provider) => {
      const server = provider === "anthropic" ? kinds.anthropicServer : kinds.geminiServer;
      const wrong = {
        kind: provider,
        base_url: server.url,
        api_key: "sk-wrong-0815",
        retries: { max: 0 },
      };
      await kinds.stack.admin.expect(201, "PUT", `/v1/admin/providers/wrong-${provider}`, wrong);
      const ours = `wrong-key/${provider}`;
      const body = { targets: [{ provider: `wrong-${provider}`, model: MODELS[provider] }] };
      await kinds.stack.admin.expect(201, "PUT", `/v1/admin/models/${ours}`, body);
      const error = await rejection(askWhole(ours));
      expect(error).toMatchObject({ code: "provider_misconfigured" });
      expect(String(error)).not.toContain("0815");
    },
  );

  it("is the client's own where the provider says so, in its words", async () => {
    const ours = await kinds.model("client/anthropic", [target("anthropic", "client")]);
    const messages = says("hi");
    const error = await rejection(
      kinds.openai().chat.completions.create({ model: ours, messages, max_tokens: 200_000 }),
    );
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(String(error)).toContain("200000 > 128000");
    const refused = await rejection(
      kinds.anthropic().messages.create({ model: ours, messages, max_tokens: 200_000 }),
    );
    expect(refused).toBeInstanceOf(Anthropic.BadRequestError);
    expect(refused).toMatchObject({ type: "invalid_request_error" });
  });
});

/** Google's and Anthropic's ways to say no, by what an OpenAI client sees. */
const REFUSALS: [Provider, string, string][] = [
  ["gemini", "SAFETY", "content_filter"],
  ["gemini", "RECITATION", "content_filter"],
  ["gemini", "BLOCKED", "content_filter"],
  ["gemini", "MAX_TOKENS", "length"],
  ["anthropic", "refusal", "content_filter"],
  ["anthropic", "pause_turn", "stop"],
  ["anthropic", "model_context_window_exceeded", "length"],
];

describe("an answer that the provider keeps back", () => {
  it.each(REFUSALS)(
    "by %s, %s, ends with its reason, streamed too",
    async (provider, finishReason, reason) => {
      const name = `refusal/${provider}-${slug(finishReason)}`;
      await kinds.model(name, [target(provider, name, { finishReason })]);
      const completion = await kinds
        .openai()
        .chat.completions.create({ model: name, messages: says("hi") });
      expect(completion.choices[0]?.finish_reason).toBe(reason);
      expect((await askStreamed(name)).reasons).toEqual([reason]);
      if (finishReason === "BLOCKED")
        expect(completion.choices[0]?.message.refusal).toContain("PROHIBITED_CONTENT");
      const message = await kinds
        .anthropic()
        .messages.create({ model: name, max_tokens: 100, messages: says("hi") });
      const theirs = { content_filter: "refusal", length: "max_tokens", stop: "end_turn" }[reason];
      expect(message.stop_reason).toBe(theirs);
      for (const record of await kinds.waitForRecords(name, 3))
        expect(record).toMatchObject({ status: 200 });
    },
  );
});

describe("a conversation whose tools were called by one kind", () => {
  const tools: OpenAI.Chat.ChatCompletionFunctionTool[] = ["weather", "time"].map((name) => ({
    type: "function",
    function: { name, parameters: { type: "object", properties: { city: { type: "string" } } } },
  }));
  const pairs: [Provider, Provider][] = [
    ["gemini", "anthropic"],
    ["anthropic", "gemini"],
    ["gemini", "openai"],
    ["anthropic", "openai"],
    ["workers_ai", "gemini"],
    ["workers_ai", "anthropic"],
  ];
  it.each(pairs)("goes on at another: from %s to %s", async (from, to) => {
    const name = `handover/${from}-${to}`;
    const place = String(pairs.findIndex((pair) => pair[0] === from && pair[1] === to));
    const first = target(from, place, (earlier) => (earlier === 0 ? {} : { status: 500 }));
    await kinds.model(name, [first, target(to, place)]);
    const ask = (messages: OpenAI.Chat.ChatCompletionMessageParam[]) =>
      kinds
        .openai()
        .chat.completions.stream({ model: name, messages, tools, reasoning_effort: "high" })
        .finalChatCompletion();
    const question = says("How is Tehran?");
    const message = (await ask(question)).choices[0]?.message;
    const calls = message?.tool_calls ?? [];
    expect(calls).toHaveLength(2);
    if (!message) return;
    const results = calls.map(({ id }) => ({
      role: "tool" as const,
      tool_call_id: id,
      content: "rain",
    }));
    const second = (await ask([...question, message, ...results])).choices[0]?.message;
    expect(second?.content).toMatch(/^The tools? said: .*rain/);
    const records = await kinds.waitForRecords(name, 2);
    expect(records.map(({ provider }) => provider).toSorted()).toEqual([from, to].toSorted());
    if (to === "openai")
      expect(JSON.stringify(kinds.openaiServer.requests.at(-1)?.body)).not.toContain(
        "extra_content",
      );
  });
});
