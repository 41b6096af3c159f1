import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { expectProblem } from "./problem.ts";

interface Key {
  id: string;
  key: string;
  prefix: string;
  previous_expires_at: string | null;
}

/** A second, and what one request takes on a busy machine. */
const WITHIN_MS = 1_000;

let stack: Stack;
let second: Awaited<ReturnType<Stack["startSecondApi"]>>;
let owner: ApiClient;

beforeAll(async () => {
  stack = await startStack({ postgres: inject("postgres"), workers: ["api"] });
  second = await stack.startSecondApi();
  owner = (await stack.createTeam()).client;
});
afterAll(async () => {
  await second?.stop();
  await stack?.stop();
});

const createKey = (body: object = {}) =>
  owner.expect<Key>(201, "POST", "/v1/keys", { name: "k", ...body });
const verify = (client: ApiClient) => client.request("GET", "/v1/keys/verify");
/** A route that every key may use, and that looks at nothing but the key's record as the isolate has it. */
const use = (client: ApiClient) => client.request("GET", "/v1/teams");

/** Both isolates have used the key just now, so that its record is in their maps and in the shared cache. */
async function warm(key: string): Promise<ApiClient[]> {
  const clients = [stack.client(key), second.client(key)];
  for (const client of [...clients, ...clients]) await client.expect(200, "GET", "/v1/keys/verify");
  return clients;
}

/**
 * Asks from both isolates without a pause until each refuses with this code.
 * @returns the latest start of a request that was still let through, in milliseconds after `since`
 */
async function lastLetThrough(clients: ApiClient[], since: number, code: string): Promise<number> {
  const lasts = clients.map(async (client) => {
    let last = 0;
    let refusals = 0;
    while (refusals < 20) {
      const started = performance.now();
      const response = await use(client);
      if (response.status === 200) {
        await response.body?.cancel();
        last = started - since;
        refusals = 0;
        if (last > 20_000) throw new Error("The key still works after 20 s");
      } else {
        const body: unknown = await response.json();
        expect(body).toMatchObject({ code });
        refusals += 1;
      }
    }
    return last;
  });
  return Math.max(...(await Promise.all(lasts)));
}

describe("what ends a key holds everywhere within a second, in isolates that know it well", () => {
  test.each<[string, string, (id: string) => Promise<unknown>]>([
    ["revoking it", "revoked_api_key", (id) => owner.expect(204, "POST", `/v1/keys/${id}/revoke`)],
    [
      "switching it off",
      "disabled_api_key",
      (id) => owner.expect(200, "PATCH", `/v1/keys/${id}`, { enabled: false }),
    ],
    ["deleting it", "invalid_api_key", (id) => owner.expect(204, "DELETE", `/v1/keys/${id}`)],
    [
      "rotating it without grace",
      "expired_api_key",
      (id) => owner.expect(200, "POST", `/v1/keys/${id}/rotate`, { grace_seconds: 0 }),
    ],
  ])("%s", async (_, code, end) => {
    const { id, key } = await createKey();
    const clients = await warm(key);
    await end(id);
    const ended = performance.now();
    expect(await lastLetThrough(clients, ended, code)).toBeLessThan(WITHIN_MS);
  });

  test("deleting its team", async () => {
    const team = await stack.createTeam();
    const clients = await warm(team.key);
    await stack.admin.expect(204, "DELETE", `/v1/teams/${team.teamId}`);
    const ended = performance.now();
    expect(await lastLetThrough(clients, ended, "invalid_api_key")).toBeLessThan(WITHIN_MS);
    await expectProblem(
      await stack.admin.request("GET", `/v1/teams/${team.teamId}`),
      404,
      "not_found",
    );
    expect(await stack.sql("SELECT 1 FROM api_keys WHERE team_id = $1", [team.teamId])).toEqual([]);
  });

  test("a narrower scope", async () => {
    const { id, key } = await createKey({ scopes: ["admin"] });
    const clients = await warm(key);
    await owner.expect(200, "PATCH", `/v1/keys/${id}`, { scopes: ["chat"] });
    const changed = performance.now();
    for (const client of clients) {
      await eventually(async () => {
        const started = performance.now();
        const { status } = await client.request("GET", "/v1/keys");
        if (status === 200) expect(started - changed).toBeLessThan(WITHIN_MS);
        expect(status).toBe(403);
      });
    }
  });

  test("but switching it on again brings it back", async () => {
    const { id, key } = await createKey({ enabled: false });
    await expectProblem(await verify(stack.client(key)), 403, "disabled_api_key");
    await owner.expect(200, "PATCH", `/v1/keys/${id}`, { enabled: true });
    for (const client of [stack.client(key), second.client(key)])
      await eventually(() => client.expect(200, "GET", "/v1/keys/verify"));
  });
});

describe("an expired key", () => {
  test("is refused with the time at which it ended, and works again with a later one", async () => {
    const { id, key } = await createKey({ expires_at: new Date(Date.now() + 2_000).toISOString() });
    const client = stack.client(key);
    await client.expect(200, "GET", "/v1/keys/verify");
    await eventually(async () => {
      const { detail } = await expectProblem(await verify(client), 401, "expired_api_key");
      expect(detail).toMatch(/expired at 20\d\d-/);
    });
    await owner.expect(200, "PATCH", `/v1/keys/${id}`, { expires_at: null });
    await eventually(() => client.expect(200, "GET", "/v1/keys/verify"));
  });

  test("cannot be rotated, since the new secret would have expired too", async () => {
    const { id } = await createKey({ expires_at: new Date(Date.now() + 500).toISOString() });
    await eventually(async () => {
      const response = await owner.request("POST", `/v1/keys/${id}/rotate`, { grace_seconds: 0 });
      await expectProblem(response, 409, "conflict");
    });
  });
});

describe("rotation", () => {
  const rotate = (id: string, body: object) =>
    owner.expect<Key>(200, "POST", `/v1/keys/${id}/rotate`, body);

  test("leaves both secrets working until the grace ends", async () => {
    const old = await createKey({ scopes: ["usage:read"], metadata: { a: 1 } });
    const [oldClient] = await warm(old.key);
    if (!oldClient) throw new Error("no client");
    const fresh = await rotate(old.id, { grace_seconds: 3 });
    const graceEnds = Date.parse(fresh.previous_expires_at ?? "");
    expect(graceEnds - Date.now()).toBeGreaterThan(1_000);
    expect(graceEnds - Date.now()).toBeLessThanOrEqual(3_000);
    expect(fresh).toMatchObject({ id: old.id, scopes: ["usage:read"], metadata: { a: 1 } });
    expect(fresh.key).not.toBe(old.key);

    const newClient = stack.client(fresh.key);
    expect(await newClient.expect(200, "GET", "/v1/keys/verify")).toMatchObject({
      id: old.id,
      prefix: fresh.prefix,
      expires_at: null,
    });
    expect(await oldClient.expect(200, "GET", "/v1/keys/verify")).toMatchObject({
      id: old.id,
      prefix: old.prefix,
      expires_at: fresh.previous_expires_at,
    });
    await eventually(async () => {
      await expectProblem(await use(oldClient), 401, "expired_api_key");
    });
    expect(Date.now()).toBeGreaterThanOrEqual(graceEnds);
    expect(Date.now()).toBeLessThan(graceEnds + WITHIN_MS);
    await newClient.expect(200, "GET", "/v1/keys/verify");
    await expectProblem(await verify(second.client(old.key)), 401, "expired_api_key");
  });

  test("a second one within the grace ends the first secret at once and gives the grace to the second", async () => {
    const first = await createKey();
    const next = await rotate(first.id, { grace_seconds: 3600 });
    const clients = await warm(first.key);
    const last = await rotate(first.id, { grace_seconds: 3600 });
    const rotated = performance.now();
    expect(await lastLetThrough(clients, rotated, "invalid_api_key")).toBeLessThan(WITHIN_MS);
    await stack.client(next.key).expect(200, "GET", "/v1/keys/verify");
    await stack.client(last.key).expect(200, "GET", "/v1/keys/verify");
  });

  test("revoking ends both secrets", async () => {
    const old = await createKey();
    const fresh = await rotate(old.id, { grace_seconds: 3600 });
    const clients = [...(await warm(old.key)), ...(await warm(fresh.key))];
    await owner.expect(204, "POST", `/v1/keys/${old.id}/revoke`);
    const revoked = performance.now();
    expect(await lastLetThrough(clients, revoked, "revoked_api_key")).toBeLessThan(WITHIN_MS);
  });

  test("gives an hour when nothing is said, and takes 30 days at most", async () => {
    const { id } = await createKey();
    for (const grace_seconds of [-1, 2_592_001, 1.5, "60", null]) {
      const response = await owner.request("POST", `/v1/keys/${id}/rotate`, { grace_seconds });
      expect((await expectProblem(response, 422, "validation_failed")).errors?.[0]?.path).toBe(
        "grace_seconds",
      );
    }
    const month = await rotate(id, { grace_seconds: 2_592_000 });
    expect(Date.parse(month.previous_expires_at ?? "") - Date.now()).toBeGreaterThan(2_591_000_000);
    const hour = await owner.request("POST", `/v1/keys/${id}/rotate`); // no body at all
    expect(hour.status).toBe(200);
  });

  test("many at once leave one current secret and one old one", async () => {
    const { id, key } = await createKey();
    const rotations = await Promise.all(
      Array.from({ length: 8 }, () => rotate(id, { grace_seconds: 60 })),
    );
    const secrets = [key, ...rotations.map((rotation) => rotation.key)];
    expect(new Set(secrets).size).toBe(9);
    const statuses = await Promise.all(
      secrets.map(async (secret) => (await verify(second.client(secret))).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
  });
});

describe("a revoked key", () => {
  test("stays revoked: it cannot be changed, switched on or rotated, and revoking again does nothing", async () => {
    const { id, key } = await createKey();
    await owner.expect(204, "POST", `/v1/keys/${id}/revoke`);
    const record = await owner.expect<{ revoked_at: string }>(200, "GET", `/v1/keys/${id}`);
    expect(Date.parse(record.revoked_at)).toBeLessThanOrEqual(Date.now());
    await owner.expect(204, "POST", `/v1/keys/${id}/revoke`);
    expect(await owner.expect(200, "GET", `/v1/keys/${id}`)).toEqual(record);
    for (const [method, path, body] of [
      ["PATCH", `/v1/keys/${id}`, { enabled: true }],
      ["PATCH", `/v1/keys/${id}`, { name: "x" }],
      ["POST", `/v1/keys/${id}/rotate`, {}],
    ] as const) {
      await expectProblem(await owner.request(method, path, body), 409, "conflict");
    }
    await expectProblem(await verify(stack.client(key)), 401, "revoked_api_key");
    await owner.expect(204, "DELETE", `/v1/keys/${id}`);
    await eventually(() => expectUnknown(key));
  });

  const expectUnknown = async (key: string) => {
    await expectProblem(await verify(stack.client(key)), 401, "invalid_api_key");
  };

  test("a key may end itself", async () => {
    const { id, key } = await createKey({ scopes: ["admin"] });
    await stack.client(key).expect(204, "POST", `/v1/keys/${id}/revoke`);
    await eventually(async () => {
      await expectProblem(await verify(stack.client(key)), 401, "revoked_api_key");
    });
  });
});
