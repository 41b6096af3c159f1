import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { LimitState } from "../meter/limit-state.ts";
import { putLimitHeaders, spanText } from "./limit-headers.ts";
import { refusalError } from "./refusal-error.ts";

const NOW = Date.UTC(2026, 10, 21, 14, 30, 48);
const state = (over: Partial<LimitState>): LimitState => ({
  ruleId: "lim_01kajyb2m4d6f8h0j1k3n5p7q9",
  keyId: "key_1",
  unit: "requests",
  window: "minute",
  model: null,
  endUser: null,
  soft: false,
  prepaid: false,
  max: 100,
  used: 7,
  remaining: 93,
  resetsAt: NOW + 12_000,
  ...over,
});
const headersOf = (...states: LimitState[]) => {
  const headers: Record<string, string> = {};
  putLimitHeaders(states, NOW, (name, value) => {
    headers[name] = value;
  });
  return headers;
};

it.each([
  [0, "0ms"],
  [12, "12ms"],
  [999.2, "1000ms"],
  [1_000, "1s"],
  [1_001, "2s"],
  [59_999, "1m0s"],
  [360_000, "6m0s"],
  [86_341_000, "23h59m1s"],
])("%d ms are written %s", (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

describe("an answer's fields", () => {
  it("are none where nothing is limited", () => {
    expect(headersOf()).toEqual({});
  });

  it("tell of one limit in OpenAI's manner and in the IETF's", () => {
    expect(headersOf(state({}))).toEqual({
      "x-ratelimit-limit-requests": "100",
      "x-ratelimit-remaining-requests": "93",
      "x-ratelimit-reset-requests": "12s",
      "ratelimit-policy": '"key-requests-minute";q=100;w=60',
      ratelimit: '"key-requests-minute";r=93;t=12',
    });
  });

  it("tell of the tightest limit of a unit to OpenAI's clients, and of all to others", () => {
    const day = state({ keyId: null, window: "day", max: 1_000, used: 990, remaining: 10 });
    const tokens = state({ unit: "tokens", max: 5_000, remaining: 4_000.7, model: 'a"b' });
    const month = state({
      unit: "usd",
      window: "month",
      max: 25_000_000,
      remaining: 23_750_000,
      resetsAt: Date.UTC(2026, 11, 1),
    });
    const running = state({
      unit: "concurrency",
      window: null,
      max: 5,
      remaining: 4,
      resetsAt: null,
    });
    expect(headersOf(state({}), day, tokens, month, running)).toEqual({
      "x-ratelimit-limit-requests": "1000",
      "x-ratelimit-remaining-requests": "10",
      "x-ratelimit-reset-requests": "12s",
      "x-ratelimit-limit-tokens": "5000",
      "x-ratelimit-remaining-tokens": "4000",
      "x-ratelimit-reset-tokens": "12s",
      "ratelimit-policy":
        '"key-requests-minute";q=100;w=60, "team-requests-day";q=1000;w=86400, "key-tokens-minute:a\\"b";q=5000;w=60;qu="tokens", "key-usd-month";q=25000000;w=2592000;qu="micro-usd", "key-concurrency";q=5;qu="concurrent-requests"',
      ratelimit:
        '"key-requests-minute";r=93;t=12, "team-requests-day";r=10;t=12, "key-tokens-minute:a\\"b";r=4000;t=12, "key-usd-month";r=23750000;t=811752, "key-concurrency";r=4',
    });
  });

  it("warn of a soft limit from 80 % on, and say nothing else of it", () => {
    const soft = (used: number) => headersOf(state({ soft: true, used, remaining: 100 - used }));
    expect(soft(79)).toEqual({});
    expect(soft(80)).toEqual({
      "x-limit-warning": `"key-requests-minute";used=80;max="100 by minute";resets=${NOW / 1000 + 12}`,
    });
    expect(soft(130)["x-limit-warning"]).toContain("used=130");
  });
});

describe("a refusal", () => {
  const refusal = (over: Partial<LimitState>, more: object = {}) => ({
    state: state({ used: 100, remaining: 0, ...over }),
    needed: 1,
    retryAfterMs: 12_000,
    setAside: false,
    fittingMaxTokens: null,
    ...more,
  });

  it("names the limit, its window and when it resets", () => {
    const error = refusalError(refusal({}), NOW);
    expect(error).toMatchObject({ code: "rate_limit_exceeded", openAiType: "requests" });
    expect(error.message).toBe(
      "Limit reached: this key may use 100 requests per minute. They are used up. It resets at 2026-11-21T14:31:00.000Z, in 12s.",
    );
    expect(error.headers).toMatchObject({
      "retry-after": "12",
      "retry-after-ms": "12000",
      ratelimit: '"key-requests-minute";r=0;t=12',
    });
    expect(error.headers).not.toHaveProperty("x-should-retry");
  });

  it("says with how many tokens the request would fit", () => {
    const error = refusalError(
      refusal(
        { unit: "tokens", max: 1_000, remaining: 400, keyId: null },
        { needed: 900, fittingMaxTokens: 380 },
      ),
      NOW,
    );
    expect(error.openAiType).toBe("tokens");
    expect(error.message).toContain(
      "this team may use 1000 tokens per minute. 400 tokens are left",
    );
    expect(error.message).toContain("max_tokens of 380 or less");
  });

  it("says of a request that is larger than the whole limit what would fit", () => {
    const never = refusal(
      { unit: "tokens", max: 1_000, remaining: 400 },
      { needed: 4_096, retryAfterMs: null, fittingMaxTokens: 950 },
    );
    const error = refusalError(never, NOW);
    expect(error.message).toBe(
      "Limit reached: this key may use 1000 tokens per minute. This request alone may take up to 4096 tokens, and never fits. With max_tokens of 950 or less it can.",
    );
    expect(error.headers?.["x-should-retry"]).toBe("false");
    expect(refusalError({ ...never, fittingMaxTokens: null }, NOW).message).toMatch(
      /never fits\.$/,
    );
    expect(refusalError(refusal({ max: 0 }, { retryAfterMs: null }), NOW).message).toBe(
      "Limit reached: this key may use 0 requests per minute. That allows none.",
    );
  });

  it.each<[string, Partial<LimitState>, object]>([
    ["money by day", { unit: "usd", window: "day", max: 1_000_000 }, {}],
    ["credits", { unit: "usd", window: "total", resetsAt: null }, { retryAfterMs: null }],
    ["requests in total", { window: "total", resetsAt: null }, { retryAfterMs: null }],
  ])("of %s is a spent budget, which is not sent again", (_, over, more) => {
    const error = refusalError(refusal(over, more), NOW);
    expect(error).toMatchObject({ code: "insufficient_quota", openAiType: "insufficient_quota" });
    expect(error.headers?.["x-should-retry"]).toBe("false");
  });

  it("of a budget that is only set aside for running requests is sent again soon", () => {
    const money: Partial<LimitState> = { unit: "usd", window: "total", max: 1_000_000 };
    const more = { needed: 90_000, setAside: true, retryAfterMs: 1_000 };
    const error = refusalError(refusal({ ...money, resetsAt: null }, more), NOW);
    expect(error.code).toBe("rate_limit_exceeded");
    expect(error.message).toBe(
      "Limit reached: this key may use $1.00 in total. What is left is set aside for requests that are running. Try again in 1s.",
    );
    expect(error.headers).toMatchObject({ "retry-after": "1" });
    expect(error.headers).not.toHaveProperty("x-should-retry");
  });

  it("that would take hours is not sent again either", () => {
    const error = refusalError(refusal({ window: "day" }, { retryAfterMs: 7_200_000 }), NOW);
    expect(error.code).toBe("rate_limit_exceeded");
    expect(error.headers).toMatchObject({ "retry-after": "7200", "x-should-retry": "false" });
  });

  it.each([
    ["a rate is sent again by OpenAI's SDK after the wait", {}, { retryAfterMs: 30 }, 2],
    ["a spent budget is not", { unit: "usd" as const }, { retryAfterMs: 30 }, 1],
  ])("of %s", async (_, over, more, calls) => {
    const error = refusalError(refusal(over, more), NOW);
    let sent = 0;
    const client = new OpenAI({
      apiKey: "k",
      baseURL: "http://localhost/v1",
      maxRetries: 1,
      fetch: () => {
        sent += 1;
        const body = {
          error: { message: error.message, type: error.openAiType, code: error.code },
        };
        return Promise.resolve(Response.json(body, { status: 429, headers: { ...error.headers } }));
      },
    });
    const work = client.chat.completions.create({ model: "m", messages: [] });
    await expect(work).rejects.toMatchObject({ status: 429, code: error.code });
    expect(sent).toBe(calls);
  });
});
