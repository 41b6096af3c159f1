import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readEvents } from "#test/gateway/event-stream.ts";
import {
  type GatewayStack,
  PROVIDER_KEY,
  startGateway,
  userSays,
} from "#test/gateway/gateway-stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import type { Fault } from "#test/providers/fault.ts";

/** What users of other gateways complain of about what comes back when a provider fails. */

let gateway: GatewayStack;
let fallback: FaultProvider;
let openai: OpenAI;
beforeAll(async () => {
  gateway = await startGateway(inject("postgres"), ["api"]);
  fallback = await startFaultProvider();
  const settings = { timeout_ms: 2_000, retries: { max: 0 } };
  const { admin, urls } = gateway.stack;
  await admin.expect(201, "PUT", "/v1/admin/providers/primary", {
    ...settings,
    base_url: gateway.provider.url,
    api_key: PROVIDER_KEY,
    timeouts: { between_tokens_ms: 2_000 },
  });
  await admin.expect(201, "PUT", "/v1/admin/providers/fallback", {
    ...settings,
    base_url: fallback.url,
  });
  openai = new OpenAI({ baseURL: `${urls.api}/v1`, apiKey: gateway.key, maxRetries: 0 });
});
afterAll(async () => {
  await gateway?.stop();
  await fallback?.stop();
});

/** A model whose primary does this; circuits are of targets, so each has its own. */
async function addModel(name: string, fault: Fault, ...more: string[]): Promise<void> {
  gateway.provider.script(name, fault);
  const targets = ["primary", ...more].map((provider) => ({ provider, model: name }));
  await gateway.stack.admin.expect(201, "PUT", `/v1/admin/models/${name}`, { targets });
}

const messages = [{ role: "user" as const, content: "hi" }];

async function textOf(model: string): Promise<string> {
  let text = "";
  const stream = await openai.chat.completions.create({ model, messages, stream: true });
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

describe("Portkey-AI/gateway#1797: a stream that was cut never looks complete", () => {
  it.each(["cut", "clean_cut", "half_event", "reset", "silence"] as const)(
    "not in OpenAI's shape, nor in Anthropic's: %s",
    async (ending) => {
      const model = `truncated-${ending}`;
      await addModel(model, { stopAfter: 2, ending });
      await expect(textOf(model)).rejects.toBeInstanceOf(APIError);
      const body = { model, messages: userSays("hi"), stream: true };
      const chat = await readEvents(await gateway.chat(body));
      expect(chat.events.map(({ data }) => data)).not.toContain("[DONE]");
      expect(JSON.parse(chat.events.at(-1)?.data ?? "{}")).toHaveProperty("error.code");
      const client = gateway.stack.client(gateway.key);
      const inMessages = await readEvents(
        await client.request("POST", "/v1/messages", { ...body, max_tokens: 100 }),
      );
      expect(inMessages.raw).toContain("event: error");
      expect(inMessages.raw).not.toContain("message_stop");
    },
  );
});

describe("a fallback where streaming was asked for", () => {
  it("BerriAI/litellm#6957: comes for an overload that is told as the stream's first event", async () => {
    await addModel("overloaded", { stopAfter: 0, ending: "error_event" }, "fallback");
    expect(await textOf("overloaded")).toBe("You said: hi");
    expect(fallback.requestsFor("overloaded")).toHaveLength(1);
  });

  it.each<[string, Fault]>([
    ["cut", { stopAfter: 0, ending: "cut" }],
    ["stalled", { stopAfter: 0, ending: "silence" }],
    [
      "malformed",
      { contentType: "text/event-stream", body: 'data: {"choices": [{"delta"\n\ndata: [DONE]\n\n' },
    ],
  ])("BerriAI/litellm#40404: comes for a stream that ends abnormally: %s", async (name, fault) => {
    const model = `abnormal-${name}`;
    await addModel(model, fault, "fallback");
    expect(await textOf(model)).toBe("You said: hi");
    expect(fallback.requestsFor(model)).toHaveLength(1);
  });

  it("BerriAI/litellm#40404: one malformed event among good ones ends nothing", async () => {
    const chunk = (content: string, finish: string | null = null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
    const body = `${chunk("good")}data: {"choices": [{"broken\n\n${chunk(" end", "stop")}data: [DONE]\n\n`;
    await addModel("one-bad-line", { contentType: "text/event-stream", body }, "fallback");
    const answer = await readEvents(
      await gateway.chat({ model: "one-bad-line", messages: userSays("hi"), stream: true }),
    );
    const said = answer.events.map(({ data }) => data).join("\n");
    expect(said).toContain("good");
    // Either all that came is passed on, or the break is told; never a short answer that looks whole.
    expect(said.includes('" end"') || said.includes('"error"')).toBe(true);
  });
});

describe("the status and the body of an error", () => {
  it("Portkey-AI/gateway#267: a lost connection is no 200, so that clients send the request again", async () => {
    let asked = 0;
    gateway.provider.script("lost", () => (asked++ === 0 ? { connection: "reset" } : {}));
    await gateway.stack.admin.expect(201, "PUT", "/v1/admin/models/lost", {
      targets: [{ provider: "primary", model: "lost" }],
    });
    const response = await gateway.chat({ model: "lost", messages: userSays("hi") });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: { code: "provider_unreachable", type: "api_error" },
    });
    asked = 0;
    const retrying = openai.withOptions({ maxRetries: 1 });
    const completion = await retrying.chat.completions.create({ model: "lost", messages });
    expect(completion.choices[0]?.message.content).toBe("You said: hi");
    expect(asked).toBe(2);
  });

  it.each<[number, string, string, number, string]>([
    [
      529,
      "text/event-stream",
      'event: error\ndata: {"type":"error"}\n\n',
      503,
      "provider_overloaded",
    ],
    [500, "text/event-stream", "event: error\n", 502, "provider_error"],
    [400, "text/event-stream", "event: error\ndata: {", 400, "invalid_request"],
    [429, "text/html", "<html>slow down</html>", 429, "provider_rate_limited"],
    [502, "application/json", "", 502, "provider_error"],
  ])(
    "Portkey-AI/gateway#722: a refusal that is no JSON is told as what it is: %i %s",
    async (status, contentType, body, expected, code) => {
      const model = `refusal-${status}`;
      await addModel(model, { status, contentType, body });
      for (const stream of [true, false]) {
        const response = await gateway.chat({ model, messages: userSays("hi"), stream });
        expect(response.status).toBe(expected);
        expect(response.headers.get("content-type")).toContain("application/json");
        expect(await response.json()).toMatchObject({
          error: { code, message: expect.any(String), type: expect.any(String) },
        });
      }
    },
  );
});
