import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type SecondApi, SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { readEvents, textIn } from "./event-stream.ts";
import { type GatewayStack, PROVIDER_KEY, startGateway, userSays } from "./gateway-stack.ts";
import { sendChatRaw } from "./send-chat-raw.ts";

/** Failover as time goes on: who answered, providers that come and go, several processes, and every deadline. */

let gateway: GatewayStack;
let healthy: FaultProvider;
let other: SecondApi;

/** Much longer than any of the deadlines here, and far below what would be waited for without them. */
const ENDS_WITHIN_MS = 30_000;

beforeAll(async () => {
  gateway = await startGateway(inject("postgres"));
  healthy = await startFaultProvider();
  const { admin } = gateway.stack;
  const put = (name: string, more: object) =>
    admin.expect(201, "PUT", `/v1/admin/providers/${name}`, {
      base_url: gateway.provider.url,
      api_key: PROVIDER_KEY,
      retries: { max: 0 },
      ...more,
    });
  const circuit = { minimum_requests: 4, open_ms: 500 };
  await put("first", { circuit });
  await put("lasting", { circuit: { minimum_requests: 4, open_ms: 8_000 } });
  await put("patient", { retries: { max: 5 } });
  await put("brief", { retries: { max: 5 }, timeouts: { total_ms: 2_000 } });
  await put("hasty", { timeouts: { first_token_ms: 500 } });
  await put("second", { base_url: healthy.url });
  other = await gateway.stack.startSecondApi();
});
afterAll(async () => {
  await other?.stop();
  await gateway?.stop();
  await healthy?.stop();
});

const putModel = (name: string, ...providers: string[]) =>
  gateway.stack.admin.expect(201, "PUT", `/v1/admin/models/${name}`, {
    targets: providers.map((provider) => ({ provider, model: name })),
  });

async function ask(model: string, more: object = {}, client?: ApiClient) {
  const body = { model, messages: userSays("hi"), ...more };
  const through = client ?? gateway.stack.client(gateway.key);
  const response = await through.request("POST", "/v1/chat/completions", body);
  const text = await response.text();
  const provider = response.headers.get("x-switchyard-provider");
  const attempts = response.headers.get("x-switchyard-attempts");
  return { status: response.status, text, provider, attempts };
}

const servedBy = ({ headers }: Response) => [
  headers.get("x-switchyard-provider"),
  headers.get("x-switchyard-attempts"),
];

const codeOf = (text: string) => (JSON.parse(text) as { error: { code: string } }).error.code; // OpenAI's error body

describe("an answer", () => {
  it("says who gave it after how many attempts, in every shape", async () => {
    gateway.provider.script("told", { status: 500 });
    await putModel("told", "first", "second");
    for (const stream of [false, true])
      expect(await ask("told", { stream })).toMatchObject({
        status: 200,
        provider: "second",
        attempts: "2",
      });
    const client = gateway.stack.client(gateway.key);
    for (const [path, body] of [
      ["/v1/messages", { max_tokens: 50, messages: userSays("hi") }],
      ["/v1/responses", { input: "hi" }],
    ] as const) {
      const response = await client.request("POST", path, { model: "told", ...body });
      await response.text();
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get("x-switchyard-provider")).toBe("second");
    }
  });

  it("in a session says so too, streamed or not", async () => {
    gateway.provider.script("told-chat", { status: 500 });
    await putModel("told-chat", "first", "second");
    const client = gateway.stack.client(gateway.key);
    for (const stream of [false, true]) {
      const body = { model: "told-chat", message: "hi", stream };
      const response = await client.request("POST", "/v1/chat", body);
      await response.text();
      expect(response.status).toBe(200);
      expect(servedBy(response)).toEqual(["second", "2"]);
    }
  });

  it("that is an error says who failed last, in every shape, and what its limits leave", async () => {
    const team = await gateway.stack.createTeam();
    await gateway.stack.admin.expect(200, "PUT", `/v1/teams/${team.teamId}/limits`, {
      limits: [{ unit: "requests", window: "day", max: 7 }],
    });
    const client = gateway.stack.client(team.key);
    const asked = [
      ["/v1/chat/completions", { messages: userSays("hi") }],
      ["/v1/chat/completions", { messages: userSays("hi"), stream: true }],
      ["/v1/messages", { max_tokens: 50, messages: userSays("hi") }],
      ["/v1/responses", { input: "hi" }],
      ["/v1/embeddings", { input: "hi" }],
      ["/v1/chat", { message: "hi" }],
      ["/v1/chat", { message: "hi", stream: true }],
    ] as const;
    for (const [index, [path, body]] of asked.entries()) {
      const model = `fails-${index}`; // each with circuits of its own
      await putModel(model, "first", "second");
      for (const provider of [gateway.provider, healthy]) provider.script(model, { status: 500 });
      const response = await client.request("POST", path, { model, ...body });
      await response.text();
      expect([path, response.status]).toEqual([path, 502]);
      expect([path, ...servedBy(response)]).toEqual([path, "second", "2"]);
      expect(response.headers.get("x-ratelimit-limit-requests")).toBe("7");
      expect(Number(response.headers.get("x-ratelimit-remaining-requests"))).toBeLessThanOrEqual(
        6 - index,
      );
    }
    const refused = await client.request("POST", "/v1/chat/completions", {
      model: "fails-0",
      messages: userSays("hi"),
    });
    expect(refused.status).toBe(429);
    expect(servedBy(refused)).toEqual([null, null]); // nobody was asked
    expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
  });

  it("of the response cache was given by nobody", async () => {
    await putModel("cached", "second");
    const body = { model: "cached", messages: userSays("hi") };
    const seen = await eventually(async () => {
      const response = await gateway.chat(body, { headers: { "x-cache-ttl": "60" } });
      await response.text();
      expect(response.headers.get("x-cache")).toBe("hit");
      return response.headers;
    });
    expect(seen.get("x-switchyard-provider")).toBeNull();
    expect(seen.get("x-switchyard-attempts")).toBeNull();
  });
});

describe("a provider that flaps", () => {
  it("costs no request its answer, is left alone between, and is used again when it stays up", async () => {
    let isUp = false;
    gateway.provider.script("flapping", (earlier) =>
      isUp || earlier % 3 === 0 ? {} : { connection: earlier % 3 === 1 ? "reset" : "close" },
    );
    await putModel("flapping", "first", "second");
    const asked = 60;
    for (let index = 0; index < asked; index++) {
      const { status, text } = await ask("flapping", { stream: index % 2 === 0 });
      expect(status).toBe(200);
      expect(text).not.toContain('"error"');
    }
    expect(gateway.provider.requestsFor("flapping").length).toBeLessThan(asked);
    expect(healthy.requestsFor("flapping").length).toBeGreaterThan(asked / 2);
    isUp = true;
    await eventually(async () => {
      for (let count = 0; count < 5; count++)
        expect(await ask("flapping")).toMatchObject({ provider: "first", attempts: "1" });
    });
    const records = await eventually(async () => {
      const all = await gateway.recordsOf("flapping");
      expect(all.length).toBeGreaterThanOrEqual(asked);
      return all;
    });
    expect(new Set(records.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("a circuit that one process has opened", () => {
  const stateIn = async (admin: ApiClient, model: string) => {
    type Health = { data: { provider: string; models: string[]; state: string }[] };
    const { data } = await admin.expect<Health>(200, "GET", "/v1/providers/health");
    return data.find(({ provider, models }) => provider === "lasting" && models.includes(model))
      ?.state;
  };

  it("is known to another one, which does not try for itself, and its end is known too", async () => {
    let isUp = false;
    gateway.provider.script("shared", () => (isUp ? {} : { status: 500 }));
    await putModel("shared", "lasting", "second");
    await putModel("bystander", "first", "second");
    const there = other.client(gateway.key);
    await eventually(async () => expect((await ask("bystander", {}, there)).status).toBe(200));
    while ((await stateIn(gateway.stack.admin, "shared")) !== "open") await ask("shared");
    const tried = gateway.provider.requestsFor("shared").length;
    // What others say is looked at while requests for models with several targets come.
    await eventually(async () => {
      await ask("bystander", {}, there);
      expect(await stateIn(other.client(SUPER_ADMIN_KEY), "shared")).toBe("open");
    });
    expect(await ask("shared", {}, there)).toMatchObject({ provider: "second", attempts: "1" });
    expect(gateway.provider.requestsFor("shared")).toHaveLength(tried);
    isUp = true;
    await eventually(async () =>
      expect(await ask("shared")).toMatchObject({ provider: "lasting", attempts: "1" }),
    );
    await eventually(async () =>
      expect(await ask("shared", {}, there)).toMatchObject({ provider: "lasting" }),
    );
  });
});

describe("a client that hangs up while a retry waits", () => {
  it("ends it: nobody is asked again, and nothing is charged", async () => {
    gateway.provider.script("waiting", { status: 429, headers: { "retry-after-ms": "4900" } });
    await putModel("waiting", "patient");
    const request = { model: "waiting", messages: userSays("hi") };
    const socket = sendChatRaw(gateway.stack.urls.api, gateway.key, request);
    await eventually(() => expect(gateway.provider.requestsFor("waiting")).toHaveLength(1));
    const leftAt = Date.now();
    socket.resetAndDestroy();
    const [record] = await gateway.waitForRecords("waiting", 1);
    expect(record).toMatchObject({ status: 499, error_code: "client_closed", cost_micros: 0 });
    expect(record?.latency_ms).toBeLessThan(4_900); // it did not wait for the retry's time
    await eventually(() => expect(Date.now() - leftAt).toBeGreaterThan(6_000));
    expect(gateway.provider.requestsFor("waiting")).toHaveLength(1);
  });
});

describe("the deadline of a whole request", () => {
  it("ends retries, however many are left", async () => {
    gateway.provider.script("hopeless", { firstByteDelayMs: 700, status: 500 });
    await putModel("hopeless", "brief");
    const began = Date.now();
    const { status, text } = await ask("hopeless");
    expect([502, 504]).toContain(status);
    expect(["provider_error", "provider_timeout"]).toContain(codeOf(text));
    expect(Date.now() - began).toBeLessThan(ENDS_WITHIN_MS);
    expect(gateway.provider.requestsFor("hopeless").length).toBeLessThanOrEqual(3);
  });

  it("ends a stream that goes on and on, with an error as its last event", async () => {
    const pieces = Array.from({ length: 1_000 }, (_, index) => ` ${index}`);
    gateway.provider.script("endless", { pieces, eventDelayMs: 200 });
    await putModel("endless", "brief");
    const body = { model: "endless", messages: userSays("hi"), stream: true };
    const began = Date.now();
    const stream = await readEvents(await gateway.chat(body));
    expect(Date.now() - began).toBeLessThan(ENDS_WITHIN_MS);
    expect(textIn(stream)).toContain(" 0");
    expect(codeOf(stream.events.at(-1)?.data ?? "{}")).toBe("provider_timeout");
    await eventually(() =>
      expect(gateway.provider.requestsFor("endless")[0]?.abortedAt).not.toBeNull(),
    );
    const [record] = await gateway.waitForRecords("endless", 1);
    expect(record).toMatchObject({ status: 504, estimated: true });
    expect(record?.output_tokens).toBeGreaterThan(0);
  });
});

describe("the time to the first token", () => {
  /** It answers at once, opens the message at once, and then says nothing for long. */
  const SILENT_OPENING = { eventDelayMs: 60_000 };

  it("is up for a stream that was opened only: the next target takes over", async () => {
    gateway.provider.script("mute", SILENT_OPENING);
    await putModel("mute", "hasty", "second");
    const began = Date.now();
    const { status, text, provider } = await ask("mute", { stream: true });
    expect(Date.now() - began).toBeLessThan(ENDS_WITHIN_MS);
    expect([status, provider]).toEqual([200, "second"]);
    expect(text).toContain("[DONE]");
    await eventually(() =>
      expect(gateway.provider.requestsFor("mute")[0]?.abortedAt).not.toBeNull(),
    );
  });

  it("is a 504 where there is none", async () => {
    gateway.provider.script("mute-alone", SILENT_OPENING);
    await putModel("mute-alone", "hasty");
    const began = Date.now();
    const { status, text } = await ask("mute-alone", { stream: true });
    expect([status, codeOf(text)]).toEqual([504, "provider_timeout"]);
    expect(Date.now() - began).toBeLessThan(ENDS_WITHIN_MS);
  });
});
