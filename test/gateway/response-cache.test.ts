import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";

let gateway: GatewayStack;
let second: Awaited<ReturnType<GatewayStack["stack"]["startSecondApi"]>>;
let caching: { id: string; key: string };
const MODELS = [
  "plain",
  "streamed",
  "crowd",
  "dead",
  "late",
  "failing",
  "cut",
  "changed",
  "bypass",
];

beforeAll(async () => {
  gateway = await startGateway(inject("postgres"));
  await gateway.addModels(Object.fromEntries(MODELS.map((name) => [name, `their-${name}`])));
  caching = await gateway.stack.client(gateway.key).expect(201, "POST", "/v1/keys", {
    name: "caching",
    cache: {},
  });
  second = await gateway.stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await gateway?.stop();
});

let asked = 0;
const question = () => userSays(`What is it, number ${++asked}?`);
const calls = (model: string) => gateway.provider.requestsFor(`their-${model}`).length;

async function ask(body: object, headers: Record<string, string> = {}, key = caching.key) {
  const response = await gateway.chat(body, { key, headers });
  const text = await response.text();
  return { status: response.status, cache: response.headers.get("x-cache"), text, response };
}

/** Asks until the answer is kept: it is written after it was sent. */
const untilHit = (body: object) =>
  eventually(async () => {
    const answer = await ask(body);
    expect(answer.cache).toBe("hit");
    return answer;
  });

describe("an answer that is kept", () => {
  it("comes again word for word, free of charge, without the provider", async () => {
    const body = { model: "plain", messages: question(), temperature: 0.5 };
    const first = await ask(body);
    expect([first.status, first.cache]).toEqual([200, "miss"]);
    const again = await untilHit({ ...body, user: "somebody else" });
    expect(again.text).toBe(first.text);
    expect(again.response.headers.get("age")).toMatch(/^\d+$/);
    expect(calls("plain")).toBe(1);
    const rows = await eventually(async () => {
      const found = await gateway.stack.sql<{
        cached: boolean;
        missed: boolean;
        cost: number;
        tokens: number;
      }>(
        `SELECT cached, cache_missed AS missed, cost_micros::int AS cost, output_tokens AS tokens
         FROM usage_records WHERE model = 'plain' ORDER BY at`,
      );
      expect(found.length).toBeGreaterThanOrEqual(2);
      return found;
    });
    expect(rows[0]).toMatchObject({ cached: false, missed: true });
    expect(rows[1]).toMatchObject({
      cached: true,
      missed: false,
      cost: 0,
      tokens: rows[0]?.tokens,
    });
    expect(rows[0]?.cost).toBeGreaterThan(0);
  });

  it("comes as a stream to those who want one, with the usage only if this request asks for it", async () => {
    const body = { model: "streamed", messages: question(), stream: true };
    const first = await ask({ ...body, stream_options: { include_usage: true } });
    expect(first.text).toContain('"usage":{');
    const again = await untilHit(body);
    expect(again.response.headers.get("content-type")).toContain("text/event-stream");
    expect(again.text).not.toContain('"usage":{');
    expect(again.text.trimEnd().endsWith("data: [DONE]")).toBe(true);
    const usage = await untilHit({ ...body, stream_options: { include_usage: true } });
    expect(usage.text).toBe(first.text);
    expect(calls("streamed")).toBe(1);
  });

  it("is not given to another team, for other parameters, nor after its time", async () => {
    const body = { model: "late", messages: question() };
    await ask(body);
    await untilHit(body);
    expect((await ask({ ...body, temperature: 0 })).cache).toBe("miss");
    const other = await gateway.stack.createTeam();
    const stranger = await ask(body, { "x-cache-ttl": "60" }, other.key);
    expect(stranger.cache).toBe("miss");
    const short = { model: "late", messages: question() };
    await ask(short, { "x-cache-ttl": "1" });
    await eventually(async () =>
      expect((await ask(short, { "cache-control": "max-age=1" })).cache).toBe("miss"),
    );
  });

  it("lies sealed in the cache", async () => {
    const body = { model: "plain", messages: userSays("the secret of the north wind") };
    await ask(body);
    await untilHit(body);
    const keys = (await gateway.stack.redis.execute([["KEYS", "answer:*"]]))[0] as unknown[];
    expect(keys.length).toBeGreaterThan(0);
    const values = await gateway.stack.redis.execute(keys.map((key) => ["GET", String(key)]));
    expect(JSON.stringify(values.map(String))).not.toMatch(/north wind|chat\.completion/);
  });

  it("is not looked for when the request says so, nor by keys that do not ask for it", async () => {
    const body = { model: "bypass", messages: question() };
    await ask(body);
    await untilHit(body);
    const before = calls("bypass");
    expect((await ask(body, { "cache-control": "no-store" })).cache).toBe("bypass");
    expect((await ask(body, { "cache-control": "no-cache" })).cache).toBe("bypass");
    expect((await ask(body, { "x-cache-ttl": "0" })).cache).toBe("bypass");
    expect((await ask(body, {}, gateway.key)).cache).toBeNull();
    expect(calls("bypass")).toBe(before + 4);
    expect((await ask(body, { "x-cache-ttl": "soon" })).status).toBe(400);
  });

  it("is not given any more once the model's settings have changed", async () => {
    const body = { model: "changed", messages: question() };
    await ask(body);
    await untilHit(body);
    const target = { provider: "provider-30000", model: "their-late" };
    await gateway.stack.admin.expect(200, "PUT", "/v1/admin/models/changed", { targets: [target] });
    await eventually(async () => expect((await ask(body)).cache).toBe("miss"));
  });
});

it("keeps no error and no cut stream", async () => {
  gateway.provider.script("their-cut", (earlier) =>
    earlier === 0 ? { stopAfter: 2, ending: "cut" } : {},
  );
  const body = { model: "cut", messages: question(), stream: true };
  expect((await ask(body)).text).toContain('"error"');
  const next = await ask(body);
  expect([next.cache, next.text.includes('"error"')]).toEqual(["miss", false]);
});

describe("equal requests at the same moment", () => {
  it("reach the provider once, from two processes", async () => {
    gateway.provider.script("their-crowd", { firstByteDelayMs: 1_500 });
    const body = { model: "crowd", messages: question() };
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const client =
          index % 2 === 0 ? gateway.stack.client(caching.key) : second.client(caching.key);
        const response = await client.request("POST", "/v1/chat/completions", body);
        return { status: response.status, text: await response.text() };
      }),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(calls("crowd")).toBe(1);
  });

  it("share the provider's error", async () => {
    gateway.provider.script("their-failing", { firstByteDelayMs: 1_500, status: 429 });
    const body = { model: "failing", messages: question() };
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(body)));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([429]));
    expect(calls("failing")).toBeLessThan(10);
  });

  it("go on when the process of the one that led is gone", async () => {
    gateway.provider.script("their-dead", (earlier) =>
      earlier === 0 ? { connection: "hang" } : {},
    );
    const body = { model: "dead", messages: question() };
    // The last test: the second process is gone after it.
    const leading = second.client(caching.key).request("POST", "/v1/chat/completions", body);
    leading.catch(() => undefined);
    await eventually(() => expect(calls("dead")).toBe(1));
    const following = Promise.all(Array.from({ length: 5 }, () => ask(body)));
    await second.stop();
    const answers = await following;
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    expect(calls("dead")).toBe(2);
  });
});
