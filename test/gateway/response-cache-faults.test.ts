import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createRedis, type RedisBackend } from "#dev/stand-ins/redis.ts";
import { startUpstashRest } from "#dev/stand-ins/upstash-rest.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type FaultLink, startFaultLink } from "#test/harness/fault-link.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";

/** The response cache when its store fails, what is too large for it, and what hits cost. */

let gateway: GatewayStack;
let link: FaultLink;
let redis: RedisBackend;
let front: Awaited<ReturnType<typeof startUpstashRest>>;
const CACHED = { "x-cache-ttl": "600" };

beforeAll(async () => {
  redis = createRedis();
  front = await startUpstashRest({ backend: redis, token: "test-token" });
  link = await startFaultLink(new URL(front.url).host);
  gateway = await startGateway(inject("postgres"), ["api", "bot", "cron"], {
    UPSTASH_REDIS_REST_URL: `http://${link.address}`,
  });
  const names = ["plain", "large", "wide", "paid", "talk"];
  await gateway.addModels(Object.fromEntries(names.map((name) => [name, `f-${name}`])));
});
afterAll(async () => {
  await gateway?.stop();
  await link?.stop();
  await front?.stop();
});

let asked = 0;
const question = () => userSays(`What is it, number ${++asked}?`);
const calls = (model: string) => gateway.provider.requestsFor(`f-${model}`).length;

async function ask(body: object, headers: Record<string, string> = CACHED, key = gateway.key) {
  const startedAt = performance.now();
  const response = await gateway.chat(body, { key, headers });
  const text = await response.text();
  const tookMs = performance.now() - startedAt;
  return { status: response.status, cache: response.headers.get("x-cache"), text, tookMs };
}

const untilHit = (body: object, key = gateway.key) =>
  eventually(async () => {
    const answer = await ask(body, CACHED, key);
    expect(answer.cache).toBe("hit");
    return answer;
  });

describe.each(["down", "silent", "slow", "answers_lost"] as const)(
  "a cache in the state %s",
  (state) => {
    it("costs no request: each is answered by the provider in time, and equal ones still share a call", async () => {
      await ask({ model: "plain", messages: question() }); // warm
      await link.set(state);
      try {
        const answers = [];
        for (const stream of [false, true, false, true])
          answers.push(await ask({ model: "plain", messages: question(), stream }));
        for (const { status, cache, text } of answers) {
          expect([status, cache]).toEqual([200, "miss"]);
          expect(text).not.toContain('"error"');
        }
        // 300 ms for the look into the cache; the rest is a busy machine, and what else has to be asked.
        expect(Math.min(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(1_500);
        expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(15_000);
        gateway.provider.script("f-plain", { firstByteDelayMs: 1_500 });
        const before = calls("plain");
        const body = { model: "plain", messages: question() };
        const crowd = await Promise.all(Array.from({ length: 10 }, () => ask(body)));
        expect(new Set(crowd.map(({ status }) => status))).toEqual(new Set([200]));
        expect(new Set(crowd.map(({ text }) => text)).size).toBe(1);
        expect(calls("plain")).toBe(before + 1);
      } finally {
        await link.set("up");
        gateway.provider.script("f-plain", {});
      }
      await untilHit({ model: "plain", messages: question() });
    });
  },
);

describe("answers", () => {
  it("over 500,000 bytes are given whole and not kept, streamed or not", async () => {
    const pieces = Array.from({ length: 12 }, () => "x".repeat(50_000));
    gateway.provider.script("f-large", { pieces });
    for (const stream of [false, true]) {
      const body = { model: "large", messages: question(), stream };
      for (let round = 0; round < 3; round++) {
        const { status, cache, text } = await ask(body);
        expect([status, cache]).toEqual([200, "miss"]);
        expect(text.length).toBeGreaterThan(600_000);
      }
    }
    expect(calls("large")).toBe(6);
  });

  it("are measured in bytes, not in characters", async () => {
    // 200,000 characters of three bytes each.
    gateway.provider.script("f-wide", {
      pieces: Array.from({ length: 4 }, () => "界".repeat(50_000)),
    });
    for (const stream of [false, true]) {
      const body = { model: "wide", messages: question(), stream };
      for (let round = 0; round < 3; round++) expect((await ask(body)).cache).toBe("miss");
    }
  });
});

it("hits are free of budget: they come when it is spent, and leave it as it was", async () => {
  const team = await gateway.stack.createTeam();
  const client = gateway.stack.client(team.key);
  const body = { model: "paid", messages: question(), max_tokens: 10 };
  await ask(body, CACHED, team.key);
  await untilHit(body, team.key);
  const [spent] = await eventually(async () => {
    const rows = await gateway.stack.sql<{ cost: number }>(
      "SELECT sum(cost_micros)::int AS cost FROM usage_records WHERE team_id = $1 HAVING count(*) >= 2",
      [team.teamId],
    );
    expect(rows).toHaveLength(1);
    return rows;
  });
  expect(spent?.cost).toBeGreaterThan(0);
  await gateway.stack.admin.expect(200, "PUT", `/v1/teams/${team.teamId}/limits`, {
    limits: [
      { unit: "usd", window: "total", max: "0.000001" },
      { unit: "requests", window: "total", max: 1 },
    ],
  });
  await eventually(async () =>
    expect((await ask({ ...body, messages: question() }, CACHED, team.key)).status).toBe(429),
  );
  const used = async () =>
    (
      await client.expect<{ data: { unit: string; used: unknown }[] }>(200, "GET", "/v1/limits")
    ).data.map(({ unit, used: amount }) => [unit, amount]);
  const before = await used();
  for (let round = 0; round < 5; round++) {
    const answer = await ask(body, CACHED, team.key);
    expect([answer.status, answer.cache]).toEqual([200, "hit"]);
  }
  expect(await used()).toEqual(before);
  const records = await eventually(async () => {
    const rows = await gateway.stack.sql<{ cost: number; cached: boolean }>(
      "SELECT cost_micros::int AS cost, cached FROM usage_records WHERE team_id = $1 AND cached",
      [team.teamId],
    );
    expect(rows.length).toBeGreaterThanOrEqual(6);
    return rows;
  });
  expect(records.every(({ cost }) => cost === 0)).toBe(true);
});

describe("a session", () => {
  it.each([false, true])("says what the cache had; streamed: %s", async (stream) => {
    const client = gateway.stack.client(gateway.key);
    const say = async (headers: Record<string, string>) => {
      const body = { message: `A riddle; streamed: ${stream}`, model: "talk", stream };
      const response = await client.request("POST", "/v1/chat", body, headers);
      const text = await response.text();
      expect(response.status).toBe(200);
      const reply = /"reply":"([^"]*)"/.exec(text)?.[1];
      return { cache: response.headers.get("x-cache"), age: response.headers.get("age"), reply };
    };
    const first = await say(CACHED);
    expect([first.cache, first.age]).toEqual(["miss", null]);
    await eventually(async () => {
      const again = await say(CACHED);
      expect(again).toMatchObject({ cache: "hit", reply: first.reply });
      expect(again.age).toMatch(/^\d+$/);
    });
    expect((await say({ ...CACHED, "cache-control": "no-store" })).cache).toBe("bypass");
    expect((await say({})).cache).toBeNull();
  });
});
