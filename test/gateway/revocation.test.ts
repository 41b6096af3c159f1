import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { SUPER_ADMIN_KEY } from "#test/harness/stack.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";

/** From when on a change has to hold everywhere. */
const WITHIN_MS = 1_000;
/** How long each Worker serves the key before, so that it holds its record and the team's epoch. */
const WARM_MS = 1_500;
/** Between two requests of a client; the cases run side by side on one machine. */
const PAUSE_MS = 10;

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

/** Asks one after the other until it is told to stop. */
async function keepAsking(client: ApiClient, running: () => boolean): Promise<Asked[]> {
  const asked: Asked[] = [];
  const body = { model: "plain", messages: userSays("hi") };
  while (running()) {
    const at = Date.now();
    const response = await client.request("POST", "/v1/chat/completions", body);
    await response.text();
    asked.push({ at, status: response.status });
    await pause(PAUSE_MS);
  }
  return asked;
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
    let running = true;
    const going = () => running;
    const clients = [gateway.stack.client(key), second.client(key)];
    const loads = clients.map((client) => keepAsking(client, going));
    const bystander = keepAsking(second.client(other), going);
    await pause(WARM_MS);
    const admin = through === "first" ? gateway.stack.admin : second.client(SUPER_ADMIN_KEY);
    const [method, path, body] = change(id);
    const changedAt = Date.now();
    const changed = await admin.request(method, path, body);
    expect(changed.ok).toBe(true);
    const doneAt = Date.now();
    await pause(WITHIN_MS + 1_000);
    running = false;
    for (const load of await Promise.all(loads)) {
      const before = load.filter(({ at }) => at < changedAt - 200);
      const after = load.filter(({ at }) => at > doneAt + WITHIN_MS);
      expect(before.length).toBeGreaterThan(5);
      expect(after.length).toBeGreaterThan(5);
      expect(new Set(before.map((one) => one.status))).toEqual(new Set([200]));
      expect(new Set(after.map((one) => one.status))).toEqual(new Set([status]));
    }
    // The team's other keys are looked up again under the new epoch, and go on.
    expect(new Set((await bystander).map((one) => one.status))).toEqual(new Set([200]));
  });

  it("holds after a second in a process that serves the team, but has never seen the key", async () => {
    const { id, key, other } = await makeKeys();
    const ask = async (client: ApiClient) => (await keepAsking(client, once()))[0]?.status;
    expect(await ask(gateway.stack.client(key))).toBe(200);
    expect(await ask(second.client(other))).toBe(200);
    await gateway.stack.admin.expect(204, "POST", `/v1/keys/${id}/revoke`);
    await pause(WITHIN_MS);
    expect(await ask(second.client(key))).toBe(401);
  });
});

/** Says yes the first time only. */
function once(): () => boolean {
  let left = 1;
  return () => left-- > 0;
}
