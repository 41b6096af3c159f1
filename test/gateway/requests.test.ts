import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type MockLlm, startMockLlm } from "#test/providers/mock-llm.ts";
import { readEvents, textIn } from "./event-stream.ts";
import { bearer } from "./openai-error.ts";
import { describeRefusedKeys } from "./refused-keys-suite.ts";
import { describeRefusedRequests } from "./refused-requests-suite.ts";
import { describeIdentity } from "./request-identity-suite.ts";
import { type GatewayStack, PROVIDER_KEY, startGateway, userSays } from "./gateway-stack.ts";

let gateway: GatewayStack;
let mock: MockLlm;
const keys: Record<string, string> = {};

beforeAll(async () => {
  [gateway, mock] = await Promise.all([startGateway(inject("postgres")), startMockLlm()]);
  await gateway.addModels({
    plain: "plain",
    "org/with/slashes": "plain",
    slow: "slow",
    big: "big",
  });
  gateway.provider.script("slow", { firstByteDelayMs: 300 });
  const mockProvider = { base_url: mock.url, timeout_ms: 10_000 };
  await gateway.stack.admin.expect(201, "PUT", "/v1/admin/providers/mock", mockProvider);
  const mockModel = { targets: [{ provider: "mock", model: "mock-1" }] };
  await gateway.stack.admin.expect(201, "PUT", "/v1/admin/models/mocked", mockModel);
  const soon = new Date(Date.now() + 1_500).toISOString();
  await Promise.all([
    makeKey("expired", { expires_at: soon }),
    makeKey("without scope", { scopes: ["usage:read"] }),
    makeKey("other model", { models: ["big"] }),
    makeKey("revoked", {}).then((id) => manage("POST", `/v1/keys/${id}/revoke`, 204)),
    makeKey("disabled", {}).then((id) =>
      manage("PATCH", `/v1/keys/${id}`, 200, { enabled: false }),
    ),
  ]);
});
afterAll(async () => {
  await gateway?.stop();
  await mock?.stop();
});

async function makeKey(name: string, more: object): Promise<string> {
  const input = { name, scopes: ["chat"], team_id: gateway.teamId, ...more };
  const { admin } = gateway.stack;
  const made = await admin.expect<{ id: string; key: string }>(201, "POST", "/v1/keys", input);
  keys[name] = made.key;
  return made.id;
}

const manage = (method: string, path: string, status: number, body?: object) =>
  gateway.stack.admin.expect(status, method, path, body);

const good = { model: "plain", messages: userSays("hi") };

describeRefusedKeys(() => gateway, keys);
describeRefusedRequests(() => gateway);
describeIdentity(() => gateway);

it.each([
  ["no content type", undefined],
  ["another content type", "text/plain"],
])("a body with %s is refused, and told what to send", async (_name, type) => {
  const response = await fetch(`${gateway.stack.urls.api}/v1/chat/completions`, {
    method: "POST",
    headers: { ...bearer(gateway.key), ...(type ? { "content-type": type } : {}) },
    body: new TextEncoder().encode(JSON.stringify(good)),
  });
  expect(response.status).toBe(415);
  expect(await response.text()).toContain("content-type: application/json");
});

describe("a request that is odd but good", () => {
  it("works with the key in x-api-key", async () => {
    const client = gateway.stack.client(null);
    await client.expect(200, "POST", "/v1/chat/completions", good, { "x-api-key": gateway.key });
  });

  it.each(["org/with/slashes", "org%2Fwith%2Fslashes"])("finds the model %s", async (name) => {
    const client = gateway.stack.client(gateway.key);
    expect(await client.expect(200, "GET", `/v1/models/${name}`)).toMatchObject({
      id: "org/with/slashes",
    });
  });

  it("carries nine megabytes of pictures to the provider, unharmed", async () => {
    const url = `data:image/png;base64,${"iVBORw0KGgoAAAANSUhEUg".repeat(410_000)}`;
    const messages = userSays([
      { type: "text", text: "what is it?" },
      { type: "image_url", image_url: { url } },
    ]);
    const response = await gateway.chat({ model: "big", messages });
    expect(response.status).toBe(200);
    const [request] = gateway.provider.requestsFor("big");
    expect(request?.body?.["messages"]).toEqual(messages);
  });

  it("is one of a hundred at once, and each gets its own answer and its own record", async () => {
    const ask = async (index: number) => {
      const stream = index % 2 === 0;
      const messages = userSays(`number ${index}`);
      const headers = { "x-end-user": "crowd" };
      const response = await gateway.chat({ model: "plain", messages, stream }, { headers });
      const id = response.headers.get("x-request-id");
      if (stream) return { id, text: textIn(await readEvents(response)) };
      const { choices } = (await response.json()) as OpenAI.Chat.ChatCompletion; // as OpenAI's protocol has it
      return { id, text: choices[0]?.message.content };
    };
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(index)));
    expect(answers.map((answer) => answer.text)).toEqual(
      answers.map((_, index) => `You said: number ${index}`),
    );
    const ids = new Set(answers.map((answer) => answer.id));
    await eventually(async () => {
      const records = await gateway.stack.sql<{ id: string; output_tokens: number }>(
        "SELECT id, output_tokens FROM usage_records WHERE end_user = 'crowd'",
      );
      expect(records).toHaveLength(100);
      expect(new Set(records.map((record) => record.id))).toEqual(ids);
      expect(records.every((record) => record.output_tokens === 4)).toBe(true);
    });
  });
});

describe("a provider that is not ours", () => {
  const client = () =>
    new OpenAI({ baseURL: `${gateway.stack.urls.api}/v1`, apiKey: gateway.key, maxRetries: 0 });

  it("answers through the gateway, with its own count of tokens", async () => {
    const completion = await client().chat.completions.create({
      model: "mocked",
      messages: [{ role: "user", content: "echo me" }],
    });
    expect(completion.choices[0]?.message.content).toBe("echo me");
    expect(completion.model).toBe("mock-1");
    const [record] = await gateway.waitForRecords("mocked", 1);
    expect(record).toMatchObject({ input_tokens: 5, output_tokens: 7, estimated: false });
  });

  it("streams through the gateway, and is estimated where it counts nothing", async () => {
    const content = "a somewhat longer text, in pieces of four characters";
    const stream = client().chat.completions.stream({
      model: "mocked",
      messages: [{ role: "user", content }],
    });
    expect(await stream.finalContent()).toBe(content);
    const record = (await gateway.waitForRecords("mocked", 2)).find((one) => one.estimated);
    expect(record).toMatchObject({ status: 200, error_code: null });
    expect(record?.output_tokens).toBeGreaterThan(5);
    expect(record?.output_tokens).toBeLessThan(30);
  });

  it.each([
    [400, OpenAI.BadRequestError],
    [401, OpenAI.InternalServerError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
  ])("fails as it should with %i", async (status, type) => {
    const messages = [{ role: "user" as const, content: `error-${status}` }];
    const asked = client().chat.completions.create({ model: "mocked", messages });
    await expect(asked).rejects.toBeInstanceOf(type);
  });
});

describe("all that was logged", () => {
  it("has no secret in it", () => {
    for (const secret of [PROVIDER_KEY, SUPER_ADMIN_KEY, gateway.key, ...Object.values(keys)])
      expect(gateway.stack.logs.includes(secret)).toBe(false);
    expect(gateway.stack.logs.includes("number 42")).toBe(false);
  });
});
