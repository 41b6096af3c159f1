import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { type FaultName, NAMED_FAULTS } from "#test/providers/fault.ts";
import { chunksIn, readEvents, textIn } from "./event-stream.ts";
import { type GatewayStack, PROVIDER_KEY, startGateway, userSays } from "./gateway-stack.ts";

let gateway: GatewayStack;
let second: FaultProvider;
let openai: OpenAI;

const PRICES = { input_per_million: "1", output_per_million: "2" };
const DEARER = { input_per_million: "10", output_per_million: "20" };

beforeAll(async () => {
  gateway = await startGateway(inject("postgres"));
  second = await startFaultProvider({ apiKey: PROVIDER_KEY });
  const { admin, urls } = gateway.stack;
  const settings = { api_key: PROVIDER_KEY, timeout_ms: 1_500, retries: { max: 0 } };
  const first = { ...settings, base_url: gateway.provider.url };
  await admin.expect(201, "PUT", "/v1/admin/providers/first", first);
  const retrying = { ...first, retries: { max: 2 } };
  await admin.expect(201, "PUT", "/v1/admin/providers/retrying", retrying);
  const other = { ...settings, base_url: second.url };
  await admin.expect(201, "PUT", "/v1/admin/providers/second", other);
  openai = new OpenAI({ baseURL: `${urls.api}/v1`, apiKey: gateway.key, maxRetries: 0 });
});
afterAll(async () => {
  await gateway?.stop();
  await second?.stop();
});

const putModel = (name: string, targets: object[], more: object = {}) =>
  gateway.stack.admin.expect(201, "PUT", `/v1/admin/models/${name}`, {
    targets,
    prices: PRICES,
    ...more,
  });
/** A model whose first target has this fault, and nobody else shares it: circuits are of targets. */
function withFallback(name: string, fault?: FaultName) {
  if (fault) gateway.provider.script(name, NAMED_FAULTS[fault]);
  return putModel(name, [
    { provider: "first", model: name },
    { provider: "second", model: name, prices: DEARER },
  ]);
}

async function askWhole(model: string): Promise<string | null> {
  const messages = [{ role: "user" as const, content: "hi" }];
  const completion = await openai.chat.completions.create({ model, messages });
  return completion.choices[0]?.message.content ?? null;
}

async function askStreamed(model: string): Promise<string> {
  const messages = [{ role: "user" as const, content: "hi" }];
  const stream = await openai.chat.completions.create({ model, messages, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

async function failureOf(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof APIError) return error;
  throw new Error(`It was no APIError: ${String(error)}`);
}

/** What another target may do better, before an answer has begun. */
const PROVIDERS_FAULTS: FaultName[] = [
  "html-502",
  "status-401",
  "status-403",
  "status-404",
  "status-408",
  "status-429",
  "status-500",
  "status-503",
  "error-without-end",
  "html-200",
  "hang",
  "close",
  "reset-on-connect",
  "redirect",
];
/** What is cut short or malformed in an answer in one piece. */
const BAD_WHOLE: FaultName[] = ["truncated-json", "cut", "reset", "silence"];
const CLIENT_FAULTS: FaultName[] = ["status-400", "status-422"];

describe("a target that fails", () => {
  it.each([...PROVIDERS_FAULTS, ...BAD_WHOLE])(
    "gives way to the next one, and one record says who answered: %s",
    async (fault) => {
      const model = `whole/${fault}`;
      await withFallback(model, fault);
      expect(await askWhole(model)).toBe("You said: hi");
      const [record] = await gateway.waitForRecords(model, 1);
      expect(record).toMatchObject({ status: 200, provider: "second", attempt: 2 });
      expect(record).toMatchObject({ estimated: false, input_tokens: 11 });
      // At the price of the target that answered.
      expect(record?.cost_micros).toBe(10 * 11 + 20 * (record?.output_tokens ?? 0));
    },
  );

  it.each([...PROVIDERS_FAULTS, "wrong-content-type" as const])(
    "gives way where streaming was asked for too (litellm #40404, #6957): %s",
    async (fault) => {
      const model = `stream/${fault}`;
      await withFallback(model, fault);
      expect(await askStreamed(model)).toBe("You said: hi");
      const [record] = await gateway.waitForRecords(model, 1);
      expect(record).toMatchObject({ status: 200, provider: "second", attempt: 2 });
      expect(record?.first_token_ms).toBeGreaterThanOrEqual(0);
    },
  );

  it.each(["cut", "reset", "clean_cut", "half_event", "silence", "error_event"] as const)(
    "gives way as long as no token was sent, and the client sees nothing of it: %s",
    async (ending) => {
      const model = `head/${ending}`;
      gateway.provider.script(model, { stopAfter: 0, ending });
      await withFallback(model);
      const stream = await readEvents(
        await gateway.chat({ model, messages: userSays("hi"), stream: true }),
      );
      expect(textIn(stream)).toBe("You said: hi");
      expect(stream.events.at(-1)?.data).toBe("[DONE]");
      const openings = chunksIn(stream).filter((chunk) => JSON.stringify(chunk).includes('"role"'));
      expect(openings).toHaveLength(1);
      const [record] = await gateway.waitForRecords(model, 1);
      expect(record).toMatchObject({ status: 200, provider: "second", attempt: 2 });
    },
  );

  it("after its first token ends the stream with an error: a cut stream never looks complete (Portkey #1797)", async () => {
    await withFallback("late-cut", "cut");
    await expect(askStreamed("late-cut")).rejects.toBeInstanceOf(APIError);
    expect(second.requestsFor("late-cut")).toHaveLength(0);
    const [record] = await gateway.waitForRecords("late-cut", 1);
    expect(record).toMatchObject({ status: 502, error_code: "stream_cut", provider: "first" });
  });

  it.each(CLIENT_FAULTS)("because of the request itself is the end of it: %s", async (fault) => {
    const model = `client/${fault}`;
    await withFallback(model, fault);
    expect((await failureOf(askWhole(model))).status).toBe(Number(fault.slice(-3)));
    expect((await failureOf(askStreamed(model))).status).toBe(Number(fault.slice(-3)));
    expect(second.requestsFor(model)).toHaveLength(0);
  });

  it("sends the next one the whole request", async () => {
    await withFallback("same-body", "status-500");
    const body = { model: "same-body", messages: userSays("the whole body"), temperature: 0.5 };
    expect((await gateway.chat(body)).status).toBe(200);
    expect(second.requestsFor("same-body")[0]?.body).toMatchObject(body);
  });
});

describe("when all targets have failed", () => {
  it("the status and the body are those of the last failure that may pass, never a provider's own (Portkey #267, #722)", async () => {
    second.script("all-failed", { status: 401 });
    await withFallback("all-failed", "status-503");
    for (const ask of [askWhole, askStreamed]) {
      const error = await failureOf(ask("all-failed"));
      expect([error.status, error.code]).toEqual([503, "provider_overloaded"]);
      expect(error.headers?.get("retry-after")).toBe("2");
    }
    const records = await gateway.waitForRecords("all-failed", 2);
    for (const record of records)
      expect(record).toMatchObject({ status: 503, attempt: 2, input_tokens: 0, cost_micros: 0 });
  });

  it("the soonest Retry-After of all is told", async () => {
    second.script("both-limited", { status: 429, headers: { "retry-after": "30" } });
    await withFallback("both-limited", "status-429");
    const error = await failureOf(askWhole("both-limited"));
    expect([error.status, error.headers?.get("retry-after")]).toEqual([429, "7"]);
  });
});

describe("a retry at the same target", () => {
  const once = (name: string, more: object = {}) =>
    putModel(name, [{ provider: "retrying", model: name }], more);

  it.each(["whole", "streamed"] as const)("mends what passes: %s", async (way) => {
    const model = `retried-${way}`;
    gateway.provider.script(model, (earlier) => (earlier < 2 ? { status: 500 } : {}));
    await once(model);
    expect(await (way === "whole" ? askWhole : askStreamed)(model)).toBe("You said: hi");
    expect(gateway.provider.requestsFor(model)).toHaveLength(3);
    const [record] = await gateway.waitForRecords(model, 1);
    expect(record).toMatchObject({ status: 200, attempt: 3 });
  });

  it("waits for as long as the provider asks", async () => {
    const limited = { status: 429, headers: { "retry-after-ms": "1200" } };
    gateway.provider.script("patient", (earlier) => (earlier === 0 ? limited : {}));
    await once("patient");
    expect(await askWhole("patient")).toBe("You said: hi");
    const [one, two] = gateway.provider.requestsFor("patient");
    expect((two?.receivedAt ?? 0) - (one?.receivedAt ?? Infinity)).toBeGreaterThanOrEqual(1_150);
  });

  it("does not keep a client waiting for long: it gets the error and the Retry-After at once", async () => {
    gateway.provider.script("impatient", { status: 429, headers: { "retry-after": "60" } });
    await once("impatient");
    const error = await failureOf(askWhole("impatient"));
    expect([error.status, error.headers?.get("retry-after")]).toEqual([429, "60"]);
    expect(gateway.provider.requestsFor("impatient")).toHaveLength(1);
  });

  it.each(["status-401", "status-404", "hang"] as const)(
    "is not made where it would not help: %s",
    async (fault) => {
      const model = `hopeless-${fault}`;
      gateway.provider.script(
        model,
        fault === "hang" ? { connection: "hang" } : { status: Number(fault.slice(-3)) },
      );
      await once(model);
      await failureOf(askWhole(model));
      await eventually(() => expect(gateway.provider.requestsFor(model)).toHaveLength(1));
    },
  );
});

describe("a hedged model", () => {
  it("is answered by whoever is first; the loser's connection closes, and one record has the cost of both", async () => {
    gateway.provider.script("hedged", { firstByteDelayMs: 60_000 });
    const targets = [
      { provider: "retrying", model: "hedged" },
      { provider: "second", model: "hedged", prices: DEARER },
    ];
    await putModel("hedged", targets, { hedge_after_ms: 100 });
    expect(await askWhole("hedged")).toBe("You said: hi");
    await eventually(() =>
      expect(gateway.provider.requestsFor("hedged")[0]?.abortedAt).not.toBeNull(),
    );
    const [record] = await gateway.waitForRecords("hedged", 1);
    expect(record).toMatchObject({ status: 200, provider: "second", attempt: 2, estimated: true });
    const written = (record?.output_tokens ?? 0) / 2;
    expect(record?.input_tokens).toBe(22);
    expect(record?.cost_micros).toBe(11 * 11 + 22 * written);
  });
});

describe("an open circuit", () => {
  it("is shown, is asked last, and is known to other isolates", async () => {
    gateway.provider.script("tripped", { status: 500 });
    await withFallback("tripped");
    for (let count = 0; count < 10; count++) expect(await askWhole("tripped")).not.toBeNull();
    const asked = gateway.provider.requestsFor("tripped").length;
    expect(await askWhole("tripped")).toBe("You said: hi");
    expect(gateway.provider.requestsFor("tripped")).toHaveLength(asked);
    type Health = { data: { provider: string; models: string[]; state: string }[] };
    const { data } = await gateway.stack.admin.expect<Health>(200, "GET", "/v1/providers/health");
    const first = data.find((t) => t.provider === "first" && t.models.includes("tripped"));
    expect(first?.state).toBe("open");
    await eventually(async () => {
      const fields = await gateway.stack.redis.execute([["HKEYS", "circuits"]]);
      expect(String(fields)).toContain("tripped");
    });
  });
});
