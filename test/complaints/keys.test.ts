import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { hashApiKey } from "#core/keys/api-key.ts";
import { type ApiClient, ownAddress } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type GatewayStack, startGateway, userSays } from "#test/gateway/gateway-stack.ts";

/** What users of other gateways complain of about keys that were taken away or changed. */

/** From when on a change has to hold everywhere, in milliseconds. */
const WITHIN_MS = 1_000;

type SecondApi = Awaited<ReturnType<GatewayStack["stack"]["startSecondApi"]>>;
let gateway: GatewayStack;
let second: SecondApi;
beforeAll(async () => {
  gateway = await startGateway(inject("postgres"), ["api"]);
  gateway.provider.script("slow", { firstByteDelayMs: 2_500 });
  await gateway.addModels({ plain: "plain", slow: "slow" });
  second = await gateway.stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await gateway?.stop();
});

async function makeKey() {
  const { client } = await gateway.stack.createTeam();
  const input = { name: "watched", scopes: ["chat"] };
  type Made = { id: string; key: string };
  const { id, key } = await client.expect<Made>(201, "POST", "/v1/keys", input);
  return { id, key, owner: client, both: [gateway.stack.client(key), second.client(key)] };
}

async function statusOf(client: ApiClient, model = "plain"): Promise<number> {
  // Each from an address of its own: the brake on bad keys is not what is asked about here.
  const from = { "cf-connecting-ip": ownAddress() };
  const body = { model, messages: userSays("hi") };
  const response = await client.request("POST", "/v1/chat/completions", body, from);
  await response.text();
  return response.status;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks both processes for a while; every answer must have this status. */
async function expectForAWhile(clients: ApiClient[], status: number): Promise<void> {
  for (let round = 0; round < 20; round++) {
    for (const client of clients) expect(await statusOf(client)).toBe(status);
    await pause(100);
  }
}

describe("a key that was taken away", () => {
  it("BerriAI/litellm#9820: is refused by every process, not only by the one that was told", async () => {
    const { id, owner, both } = await makeKey();
    for (let round = 0; round < 10; round++)
      for (const client of both) expect(await statusOf(client)).toBe(200);
    await owner.expect(200, "PATCH", `/v1/keys/${id}`, { enabled: false });
    await pause(WITHIN_MS);
    await expectForAWhile(both, 403);
    await owner.expect(200, "PATCH", `/v1/keys/${id}`, { enabled: true });
    await pause(WITHIN_MS);
    await expectForAWhile(both, 200);
  });

  it("BerriAI/litellm#31838: is not brought back by an old record in the shared cache", async () => {
    const { id, key, owner, both } = await makeKey();
    for (const client of both) expect(await statusOf(client)).toBe(200);
    const hash = await hashApiKey(key);
    const { redis } = gateway.stack;
    const name = `key:${hash}`;
    const [old] = await eventually(async () => {
      const found = await redis.execute([["GET", name]]);
      expect(found[0]).not.toBeNull();
      return found;
    });
    await owner.expect(204, "POST", `/v1/keys/${id}/revoke`);
    await pause(WITHIN_MS);
    // As a slow process would that had read it before: again and again.
    const put = () => redis.execute([["SET", name, String(old)]]);
    await put();
    const late = await gateway.stack.startSecondApi();
    try {
      expect(await statusOf(late.client(key))).toBe(401);
      await put();
      await expectForAWhile([...both, late.client(key)], 401);
    } finally {
      await late.stop();
    }
  });
});

it("BerriAI/litellm#25553: a change of a key is not undone by a request that was running meanwhile", async () => {
  const { id, owner, both } = await makeKey();
  for (const client of both) expect(await statusOf(client)).toBe(200);
  const running = both.map((client) => statusOf(client, "slow"));
  await eventually(() => expect(gateway.provider.requestsFor("slow")).toHaveLength(2));
  await owner.expect(200, "PATCH", `/v1/keys/${id}`, { models: ["slow"] });
  expect(await Promise.all(running)).toEqual([200, 200]);
  // The record that they had been let in by is nowhere any more, and nobody writes it back.
  await expectForAWhile(both, 403);
  for (const client of both) expect(await statusOf(client, "slow")).toBe(200);
});
