import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { generateApiKey } from "#core/keys/api-key.ts";
import { eventually } from "#test/harness/eventually.ts";
import { SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type MockLlm, startMockLlm } from "#test/providers/mock-llm.ts";
import { readEvents, textIn } from "./event-stream.ts";
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

interface ErrorAnswer {
  error: { message: string; type: string; param: string | null; code: string; request_id: string };
}

async function expectOpenAiError(response: Response, status: number, code: string) {
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const { error } = JSON.parse(text) as ErrorAnswer; // checked field by field
  expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "request_id", "type"]);
  expect(error.type).toBe("invalid_request_error");
  expect(error.message).toMatch(/^\S[^\n]{10,}\.$/);
  expect(error.request_id).toBe(response.headers.get("x-request-id"));
  return error;
}

describe("a key that is no good", () => {
  const wrongChecksum = () => gateway.key.slice(0, -1) + (gateway.key.endsWith("A") ? "B" : "A");

  it.each<[string, () => Record<string, string>, number, string]>([
    ["none at all", () => ({}), 401, "missing_api_key"],
    ["an empty one", () => ({ authorization: "Bearer " }), 401, "missing_api_key"],
    ["another scheme", () => ({ authorization: "Basic dTpw" }), 401, "missing_api_key"],
    ["malformed", () => bearer("nonsense"), 401, "invalid_api_key"],
    ["very long", () => bearer("x".repeat(8_000)), 401, "invalid_api_key"],
    ["with a wrong checksum", () => bearer(wrongChecksum()), 401, "invalid_api_key"],
    ["well-formed but unknown", () => bearer(generateApiKey()), 401, "invalid_api_key"],
    ["unknown, in x-api-key", () => ({ "x-api-key": generateApiKey() }), 401, "invalid_api_key"],
    ["revoked", () => bearer(keys["revoked"]), 401, "revoked_api_key"],
    ["disabled", () => bearer(keys["disabled"]), 403, "disabled_api_key"],
    ["without the scope", () => bearer(keys["without scope"]), 403, "missing_scope"],
    ["not for this model", () => bearer(keys["other model"]), 403, "model_not_allowed"],
    ["a super admin's for no team", () => bearer(SUPER_ADMIN_KEY), 400, "invalid_request"],
  ])("is refused: %s", async (_name, headers, status, code) => {
    const before = gateway.provider.requests.length;
    const client = gateway.stack.client(null);
    for (const [path, body] of [
      ["/v1/chat/completions", good],
      ["/v1/embeddings", { model: "plain", input: "hi" }],
    ] as const) {
      const response = await client.request("POST", path, body, headers());
      await expectOpenAiError(response, status, code);
      expect(response.headers.has("www-authenticate")).toBe(status === 401);
    }
    expect(gateway.provider.requests).toHaveLength(before);
  });

  it("is refused from the moment on that it expires", async () => {
    await eventually(async () => {
      const response = await gateway.chat(good, { key: keys["expired"] ?? "" });
      await expectOpenAiError(response, 401, "expired_api_key");
    });
  });

  it("sees no model in the list that it may not use", async () => {
    const client = gateway.stack.client(keys["other model"] ?? "");
    const list = await client.expect<{ data: { id: string }[] }>(200, "GET", "/v1/models");
    expect(list.data.map((model) => model.id)).toEqual(["big"]);
    await expectOpenAiError(
      await client.request("GET", "/v1/models/plain"),
      404,
      "model_not_found",
    );
  });
});

const bearer = (key = "") => ({ authorization: `Bearer ${key}` });

describe("a request that is no good", () => {
  const deep = `{"model":"plain","messages":[{"role":"user","content":${"[".repeat(50_000)}${"]".repeat(50_000)}}]}`;
  const chat = (more: object) => ({ ...good, ...more });
  /** What Postgres has to have of them, in the order of their ids. */
  const refused: { id: string | null; end_user: string; [column: string]: unknown }[] = [];

  it.each<[string, unknown, number, string, string | null]>([
    ["an empty body", "", 400, "invalid_json", null],
    ["no JSON", "{model: plain}", 400, "invalid_json", null],
    ["JSON that is cut", '{"model":"plain","mess', 400, "invalid_json", null],
    ["a list", [], 400, "invalid_request", null],
    ["null", "null", 400, "invalid_request", null],
    ["a text", '"plain"', 400, "invalid_request", null],
    ["no model", { messages: good.messages }, 400, "invalid_request", "model"],
    ["a model that is a number", chat({ model: 7 }), 400, "invalid_request", "model"],
    ["a model with a long name", chat({ model: "m".repeat(201) }), 400, "invalid_request", "model"],
    ["an unknown model", chat({ model: "gpt-9" }), 404, "model_not_found", "model"],
    ["a model named like a field", chat({ model: "__proto__" }), 404, "model_not_found", "model"],
    ["a model with a NUL", chat({ model: "a\u0000b" }), 404, "model_not_found", "model"],
    ["no messages", { model: "plain" }, 400, "invalid_request", "messages"],
    ["empty messages", chat({ messages: [] }), 400, "invalid_request", "messages"],
    ["messages that are a text", chat({ messages: "hi" }), 400, "invalid_request", "messages"],
    ["a message that is null", chat({ messages: [null] }), 400, "invalid_request", "messages[0]"],
    [
      "a message without a role",
      chat({ messages: [{}] }),
      400,
      "invalid_request",
      "messages[0].role",
    ],
    [
      "an unknown role",
      chat({ messages: [{ role: "king" }] }),
      400,
      "invalid_request",
      "messages[0].role",
    ],
    [
      "content that is a number",
      chat({ messages: userSays(1) }),
      400,
      "invalid_request",
      "messages[0].content",
    ],
    ["stream that is a text", chat({ stream: "true" }), 400, "invalid_request", "stream"],
    ["max_tokens below one", chat({ max_tokens: -1 }), 400, "invalid_request", "max_tokens"],
    ["n of nothing", chat({ n: 0 }), 400, "invalid_request", "n"],
    [
      "stream options of the wrong kind",
      chat({ stream: true, stream_options: [] }),
      400,
      "invalid_request",
      "stream_options",
    ],
  ])("is refused: %s", async (name, body, status, code, param) => {
    const before = gateway.provider.requests.length;
    const response = await gateway.chat(body as object, { headers: { "x-end-user": name } }); // some are texts on purpose
    const error = await expectOpenAiError(response, status, code);
    expect(error.param).toBe(param);
    expect(gateway.provider.requests).toHaveLength(before);
    const id = response.headers.get("x-request-id");
    refused.push({ id, end_user: name, status, error_code: code, input_tokens: 0 });
  });

  it("is recorded once all the same", async () => {
    expect(refused.length).toBeGreaterThan(20);
    await eventually(async () => {
      const records = await gateway.stack.sql(
        `SELECT id, end_user, status, error_code, input_tokens FROM usage_records
         WHERE end_user = ANY($1) ORDER BY id`,
        [refused.map((one) => one.end_user)],
      );
      expect(records).toEqual(refused);
    });
  });

  it("is refused by its size, whether it tells it or not", async () => {
    // Much more than fits into the buffers on the way: who is refused while still sending has to read why.
    const text = JSON.stringify(chat({ padding: "x".repeat(40 * 1024 * 1024) }));
    const url = `${gateway.stack.urls.api}/v1/chat/completions`;
    const headers = { ...bearer(gateway.key), "content-type": "application/json" };
    for (const body of [text, new Blob([text]).stream()]) {
      const init = { method: "POST", headers, body, duplex: "half" } as RequestInit; // the DOM's type does not know duplex
      await expectOpenAiError(await fetch(url, init), 413, "body_too_large");
    }
  });

  it("does not bring anything down, however deep it is", async () => {
    const response = await gateway.stack
      .client(gateway.key)
      .request("POST", "/v1/chat/completions", deep);
    expect([200, 400]).toContain(response.status);
    await response.text();
    expect((await gateway.chat(good)).status).toBe(200);
  });

  it("is refused in OpenAI's shape for embeddings too", async () => {
    const client = gateway.stack.client(gateway.key);
    for (const [body, param] of [
      [{ model: "plain" }, "input"],
      [{ model: "plain", input: [] }, "input"],
      [{ model: "plain", input: 7 }, "input"],
      [{ input: "hi" }, "model"],
    ] as const) {
      const response = await client.request("POST", "/v1/embeddings", body);
      expect((await expectOpenAiError(response, 400, "invalid_request")).param).toBe(param);
    }
  });

  it("is told so where there is nothing at its path", async () => {
    const client = gateway.stack.client(gateway.key);
    await expectOpenAiError(await client.request("GET", "/v1/chat/completions"), 404, "not_found");
    await expectOpenAiError(
      await client.request("GET", "/v1/models/no/such"),
      404,
      "model_not_found",
    );
  });
});

describe("a request that is odd but good", () => {
  it("works without a content-type, and with another one", async () => {
    for (const type of [undefined, "text/plain"]) {
      const response = await fetch(`${gateway.stack.urls.api}/v1/chat/completions`, {
        method: "POST",
        headers: { ...bearer(gateway.key), ...(type ? { "content-type": type } : {}) },
        body: new TextEncoder().encode(JSON.stringify(good)),
      });
      expect(response.status).toBe(200);
      await response.text();
    }
  });

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

describe("a request's identity", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

  async function send(headers: Record<string, string>, model = "plain") {
    const response = await gateway.chat(
      { model, messages: userSays(crypto.randomUUID()) },
      { headers },
    );
    await response.text();
    const seen = gateway.provider.requestsFor(model).at(-1)?.headers ?? {};
    return { response, answered: response.headers, seen };
  }

  it("continues the caller's trace to the provider and back", async () => {
    const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
    const { answered, seen } = await send({ traceparent, tracestate: "vendor=1" });
    expect(seen["traceparent"]).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(seen["traceparent"]).not.toBe(traceparent);
    expect(seen["tracestate"]).toBe("vendor=1");
    expect(answered.get("traceparent")).toBe(seen["traceparent"]);
    await eventually(() => expect(logOf(answered)).toMatchObject([{ trace_id: trace }]));
  });

  it.each(["", "00-zz-1-01", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`, "x".repeat(500)])(
    "begins a trace of its own where the caller's is none: %s",
    async (traceparent) => {
      const { seen } = await send({ traceparent, tracestate: "vendor=1" });
      expect(seen["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(seen["traceparent"]).not.toContain("0".repeat(32));
      expect(seen["tracestate"]).toBeUndefined();
    },
  );

  it("is ours, and the client's own is only handed back", async () => {
    for (const name of ["x-client-request-id", "x-request-id"]) {
      const { answered, seen } = await send({ [name]: "req_forged" });
      expect(answered.get("x-request-id")).toMatch(/^req_[0-9a-z]{26}$/);
      expect(answered.get("x-client-request-id")).toBe("req_forged");
      expect(seen["x-request-id"]).toBe(answered.get("x-request-id"));
    }
    const { answered } = await send({ "x-client-request-id": "i".repeat(5_000) });
    expect(answered.get("x-client-request-id")).toHaveLength(200);
  });

  it("tells how long the provider took, and all of it", async () => {
    const { answered } = await send({}, "slow");
    const [, upstream, total] =
      /^upstream;dur=(\d+), total;dur=(\d+)$/.exec(answered.get("server-timing") ?? "") ?? [];
    expect(Number(upstream)).toBeGreaterThanOrEqual(290);
    expect(Number(total)).toBeGreaterThanOrEqual(Number(upstream));
  });

  it("is in one log line, which has neither the key nor what was said", async () => {
    const { answered } = await send({ "x-client-request-id": "mine" });
    await eventually(() => expect(logOf(answered)).toHaveLength(1));
    expect(logOf(answered)[0]).toMatchObject({
      event: "request",
      path: "/v1/chat/completions",
      status: 200,
      team_id: gateway.teamId,
      key_id: gateway.keyId,
      model: "plain",
      input_tokens: 11,
      client_request_id: "mine",
    });
  });

  it("comes with no header of the client's but those that are meant for the provider", async () => {
    const headers = { cookie: "a=b", "x-custom": "c", "openai-organization": "org" };
    const { seen } = await send({ ...headers, forwarded: "for=1.2.3.4", "x-api-key": "k" });
    for (const name of [...Object.keys(headers), "forwarded", "x-api-key", "cf-connecting-ip"])
      expect(seen[name], name).toBeUndefined();
    expect(seen["user-agent"]).toMatch(/^switchyard\//);
  });

  const logOf = (headers: Headers) =>
    gateway.stack.logs.entries.filter(
      (entry) =>
        entry["request_id"] === headers.get("x-request-id") && entry["event"] === "request",
    );
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
