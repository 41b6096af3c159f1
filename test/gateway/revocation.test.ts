import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type ApiClient, ownAddress } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";

/** From when on a change has to hold everywhere. */
const WITHIN_MS = 1_000;
/** How long each Worker serves the key before, so that it holds its record and the team's epoch. */
const WARM_MS = 1_500;
/** Between two requests of a client; the cases run side by side on one machine. */
const PAUSE_MS = 10;
/** How many answers each client has at least, before and after. */
const REQUESTS = 10;

let gateway: GatewayStack;
let second: Awaited<ReturnType<GatewayStack["stack"]["startSecondApi"]>>;
beforeAll(async () => {
  gateway = await startGateway(inject("postgres"), ["api"]);
  await gateway.addModels({ plain: "plain" });
  second = await gateway.stack.startSecondApi();
});
afterAll(async () => {
  await second?.stop();
  await gateway?.stop();
});

interface Asked {
  /** When it was sent, milliseconds since 1970. */
  at: number;
  status: number;
}

async function ask(client: ApiClient): Promise<Asked> {
  const at = Date.now();
  const body = { model: "plain", messages: userSays("hi") };
  // Each from an address of its own: the brake on bad keys is not what is asked about here.
  const from = { "cf-connecting-ip": ownAddress() };
  const response = await client.request("POST", "/v1/chat/completions", body, from);
  await response.text();
  return { at, status: response.status };
}

/** A client that asks one time after the other until it is stopped. */
function keepAsking(client: ApiClient) {
  const asked: Asked[] = [];
  let running = true;
  const work = (async () => {
    while (running) {
      asked.push(await ask(client));
      await pause(PAUSE_MS);
    }
  })();
  const stop = () => {
    running = false;
    return work;
  };
  return { asked, stop };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Two keys of a team of its own, so that no other case raises its epoch. */
async function makeKeys() {
  const { key: other, client } = await gateway.stack.createTeam();
  const input = { name: "hot", scopes: ["chat"] };
  const { id, key } = await client.expect<{ id: string; key: string }>(
    201,
    "POST",
    "/v1/keys",
    input,
  );
  return { id, key, other };
}

type Change = (id: string) => [method: string, path: string, body?: object];

describe.concurrent("a change of a key that two processes serve all the time", () => {
  it.each<[string, string, Change, number]>([
    ["revoked through the first", "first", (id) => ["POST", `/v1/keys/${id}/revoke`], 401],
    ["revoked through the second", "second", (id) => ["POST", `/v1/keys/${id}/revoke`], 401],
    ["deleted", "first", (id) => ["DELETE", `/v1/keys/${id}`], 401],
    ["disabled", "second", (id) => ["PATCH", `/v1/keys/${id}`, { enabled: false }], 403],
    ["kept from the model", "first", (id) => ["PATCH", `/v1/keys/${id}`, { models: ["b"] }], 403],
  ])("holds in both within a second: %s", async (_name, through, change, status) => {
    const { id, key, other } = await makeKeys();
    const loads = [gateway.stack.client(key), second.client(key)].map(keepAsking);
    const bystander = keepAsking(second.client(other));
    const all = [...loads, bystander];
    const beganAt = Date.now();
    await eventually(() => {
      expect(Date.now() - beganAt).toBeGreaterThan(WARM_MS);
      for (const { asked } of all) expect(asked.length).toBeGreaterThan(REQUESTS);
    });
    const admin = through === "first" ? gateway.stack.admin : second.client(SUPER_ADMIN_KEY);
    const [method, path, body] = change(id);
    const before = loads.map(({ asked }) => [...asked]);
    const changed = await admin.request(method, path, body);
    expect(changed.ok).toBe(true);
    const doneAt = Date.now();
    const late = ({ asked }: { asked: Asked[] }) =>
      asked.filter(({ at }) => at > doneAt + WITHIN_MS);
    await eventually(() => {
      for (const load of all) expect(late(load).length).toBeGreaterThan(REQUESTS);
    });
    await Promise.all(all.map((load) => load.stop()));
    const statusesOf = (asked: Asked[]) => new Set(asked.map((one) => one.status));
    for (const asked of before) expect(statusesOf(asked)).toEqual(new Set([200]));
    for (const load of loads) expect(statusesOf(late(load))).toEqual(new Set([status]));
    // The team's other keys are looked up again under the new epoch, and go on.
    expect(statusesOf(bystander.asked)).toEqual(new Set([200]));
  });

  it("holds after a second in a process that serves the team, but has never seen the key", async () => {
    const { id, key, other } = await makeKeys();
    expect((await ask(gateway.stack.client(key))).status).toBe(200);
    expect((await ask(second.client(other))).status).toBe(200);
    await gateway.stack.admin.expect(204, "POST", `/v1/keys/${id}/revoke`);
    await pause(WITHIN_MS);
    expect((await ask(second.client(key))).status).toBe(401);
  });
});
