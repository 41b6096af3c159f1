import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { rejection, type ShapesStack, startShapes } from "./shapes-stack.ts";

let gateway: ShapesStack;
beforeAll(async () => {
  gateway = await startShapes(inject("postgres"));
});
afterAll(() => gateway?.stop());

const messages = [{ role: "user" as const, content: "hi" }];

/** Both clients of a new team with these limits, for a model of its own. */
async function limited(model: string, ...limits: object[]) {
  const { stack } = gateway;
  await gateway.addScripted(model, {});
  const { teamId, key } = await stack.createTeam();
  await stack.admin.expect(200, "PUT", `/v1/teams/${teamId}/limits`, { limits });
  const options = { apiKey: key, maxRetries: 2 };
  return {
    anthropic: () =>
      gateway.anthropic(options).messages.create({ model, max_tokens: 50, messages }),
    openai: () => gateway.openai(options).chat.completions.create({ model, messages }),
    stream: () =>
      gateway
        .anthropic(options)
        .messages.stream({ model, max_tokens: 50, messages })
        .finalMessage(),
  };
}

describe("a limit that is reached", () => {
  it("is a RateLimitError of both clients that says when to come back", async () => {
    const ask = await limited("limited-requests", { unit: "requests", window: "day", max: 1 });
    await ask.anthropic();
    for (const work of [ask.anthropic, ask.stream]) {
      const error = await rejection(work());
      expect(error).toBeInstanceOf(Anthropic.RateLimitError);
      if (!(error instanceof Anthropic.RateLimitError)) return;
      expect(error).toMatchObject({
        type: "rate_limit_error",
        requestID: expect.stringMatching(/^req_/),
      });
      expect(Number(error.headers?.get("retry-after"))).toBeGreaterThan(0);
      expect(error.headers?.get("x-ratelimit-remaining-requests")).toBe("0");
    }
    const error = await rejection(ask.openai());
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: "rate_limit_exceeded" });
    expect(gateway.provider.requestsFor("limited-requests")).toHaveLength(1);
  });

  it("leaves what remains in the header of an answer of either shape", async () => {
    const ask = await limited("limited-left", { unit: "requests", window: "day", max: 9 });
    const whole = await ask.anthropic().withResponse();
    expect(whole.response.headers.get("x-ratelimit-remaining-requests")).toBe("8");
    const other = await ask.openai().withResponse();
    expect(other.response.headers.get("x-ratelimit-limit-requests")).toBe("9");
  });
});

describe("a budget that is spent", () => {
  it("is not asked for again by either client, though they retry what is limited", async () => {
    const model = "limited-budget";
    const ask = await limited(model, { unit: "usd", window: "month", max: "0.00001" });
    const error = await rejection(ask.anthropic());
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    if (!(error instanceof Anthropic.RateLimitError)) return;
    expect(error.headers?.get("x-should-retry")).toBe("false");
    expect(error).toMatchObject({ type: "rate_limit_error" });
    const other = await rejection(ask.openai());
    expect(other).toBeInstanceOf(OpenAI.RateLimitError);
    expect(other).toMatchObject({ code: "insufficient_quota" });
    // One record for each, and none for a retry.
    for (const record of await gateway.waitForRecords(model, 2))
      expect(record).toMatchObject({ status: 429, cost_micros: 0 });
    expect(gateway.provider.requestsFor(model)).toHaveLength(0);
  });
});
