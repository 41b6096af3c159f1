import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { generateApiKey } from "#core/keys/api-key.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  team = await stack.createTeam();
});
afterAll(() => stack?.stop());

const from = (ip: string) => ({ "cf-connecting-ip": ip });
const statusOf = async (key: string | null, ip: string) => {
  const response = await stack.client(key).request("GET", "/v1/models", undefined, from(ip));
  await response.text();
  return response.status;
};
const send = (count: number, one: () => Promise<number>) =>
  Promise.all(Array.from({ length: count }, one));

test.each([
  ["no key", () => null],
  ["a key that cannot be one", () => "sk-wrong"],
  ["a key that nobody has", () => generateApiKey()],
])("after 100 requests in a minute with %s, an address gets 429", async (what, key) => {
  const ip = `198.51.100.${what.length}`;
  const statuses = await send(150, () => statusOf(key(), ip));
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(100);
  const refused = await stack.client(null).request("GET", "/v1/models", undefined, from(ip));
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("60");
  expect(refused.headers.get("x-should-retry")).toBe("false");
  expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });
});

test("a good key from the same address is never refused, on a cold isolate neither, nor counted", async () => {
  const ip = "198.51.100.77";
  const good = await send(150, () => statusOf(team.key, ip));
  expect(new Set(good)).toEqual(new Set([200]));
  await send(150, () => statusOf("sk-wrong", ip));
  expect(await statusOf("sk-wrong", ip)).toBe(429);
  expect(new Set(await send(20, () => statusOf(team.key, ip)))).toEqual(new Set([200]));
  const second = await stack.startSecondApi();
  try {
    const cold = second.client(team.key);
    const flood = second.client("sk-wrong");
    await send(
      150,
      async () => (await flood.request("GET", "/v1/models", undefined, from(ip))).status,
    );
    expect((await cold.request("GET", "/v1/models", undefined, from(ip))).status).toBe(200);
  } finally {
    await second.stop();
  }
});

test("a flood of keys that nobody has reaches neither Postgres nor the isolate's memory of other addresses", async () => {
  const ip = "198.51.100.88";
  await send(150, () => statusOf("sk-wrong", ip));
  const before = await stack.redis.execute([["DBSIZE"]]);
  expect(new Set(await send(50, () => statusOf(generateApiKey(), ip)))).toEqual(new Set([429]));
  expect(await stack.redis.execute([["DBSIZE"]])).toEqual(before);
  expect(await statusOf("sk-wrong", "198.51.100.89")).toBe(401);
});

test("addresses of one /64 are one", async () => {
  await send(150, () => statusOf(null, `2001:db8:0:1::${Math.floor(Math.random() * 9999)}`));
  expect(await statusOf(null, "2001:db8:0:1:a:b:c:d")).toBe(429);
  expect(await statusOf(null, "2001:db8:0:2::1")).toBe(401);
});
