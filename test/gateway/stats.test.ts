import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type GatewayStack, startGateway, userSays } from "./gateway-stack.ts";

/** `GET /gateway/stats` against requests whose endings are known. */

interface Quantiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}
interface Stats {
  as_of: string;
  from: string;
  team_id: string | null;
  requests: number;
  errors: number;
  latency_ms: Quantiles;
  first_token_ms: Quantiles;
  cache: { hits: number; misses: number; hit_ratio: number | null };
  errors_by_status: { status: number; code: string | null; requests: number }[];
  limits_hit: {
    requests: number;
    by_limit: { unit: string; window: string | null; requests: number }[];
  };
  models: { model: string | null; requests: number; errors: number }[];
  providers: { provider: string; requests: number; errors: number }[];
  circuits: {
    closed: number;
    half_open: number;
    open: number;
    not_closed: { provider: string; models: string[]; state: string; target_model: unknown }[];
  };
}

let gateway: GatewayStack;
let client: ApiClient;
const stats = (by: ApiClient, query = "") => by.expect<Stats>(200, "GET", `/gateway/stats${query}`);

beforeAll(async () => {
  gateway = await startGateway(inject("postgres"));
  client = gateway.stack.client(gateway.key);
  await gateway.addModels({ steady: "s-steady", slow: "s-slow", broken: "s-broken" });
});
afterAll(() => gateway?.stop());

async function ask(body: object, headers: Record<string, string> = {}, key = gateway.key) {
  const response = await gateway.chat({ messages: userSays("hello"), ...body }, { headers, key });
  await response.text();
  return response;
}

describe("GET /gateway/stats", () => {
  it("tells exactly what was asked, by model, provider and ending, within seconds", async () => {
    gateway.provider.script("s-slow", { firstByteDelayMs: 700 });
    gateway.provider.script("s-broken", { status: 500 });
    for (let index = 0; index < 6; index++) await ask({ model: "steady" });
    for (let index = 0; index < 4; index++) await ask({ model: "slow", stream: true });
    for (let index = 0; index < 3; index++)
      expect((await ask({ model: "broken" })).status).toBe(502);
    for (const name of ["no-such-1", "no-such-2"])
      expect((await ask({ model: name })).status).toBe(404);
    const askedAt = Date.now();
    const told = await eventually(async () => {
      const found = await stats(client);
      expect(found.requests).toBeGreaterThanOrEqual(15);
      return found;
    });
    expect(Date.now() - askedAt).toBeLessThan(60_000);
    expect(told).toMatchObject({ team_id: gateway.teamId, requests: 15, errors: 5 });
    expect(Date.parse(told.as_of) - Date.parse(told.from)).toBeLessThanOrEqual(3_600_000);
    expect(told.models.map(({ model, requests, errors }) => [model, requests, errors])).toEqual([
      ["steady", 6, 0],
      ["slow", 4, 0],
      ["broken", 3, 3],
      [null, 2, 2],
    ]);
    expect(told.providers).toMatchObject([{ provider: "provider-30000", requests: 13, errors: 3 }]);
    expect(told.errors_by_status).toContainEqual({
      status: 404,
      code: "model_not_found",
      requests: 2,
    });
    // Four of the ten that were answered took 700 ms and more.
    expect(told.latency_ms.p95).toBeGreaterThan(660);
    expect(told.first_token_ms.p50).toBeGreaterThan(660);
    // What the team sees is what super admins see of it, and part of the total.
    const { team_id, requests, errors } = await stats(
      gateway.stack.admin,
      `?team_id=${gateway.teamId}`,
    );
    expect({ team_id, requests, errors }).toEqual({
      team_id: gateway.teamId,
      requests: 15,
      errors: 5,
    });
  });

  it("counts what limits refuse, by the limit, and hits of the cache", async () => {
    const team = await gateway.stack.createTeam();
    const admin = gateway.stack.admin;
    await admin.expect(200, "PUT", `/v1/teams/${team.teamId}/limits`, {
      limits: [{ unit: "requests", window: "day", max: 3 }],
    });
    const cached = { "x-cache-ttl": "60" };
    const statuses: number[] = [];
    const caches: (string | null)[] = [];
    await eventually(async () => {
      const response = await ask({ model: "steady" }, cached, team.key);
      statuses.push(response.status);
      caches.push(response.headers.get("x-cache"));
      expect(caches).toContain("hit");
    });
    for (let index = 0; index < 5; index++)
      statuses.push((await ask({ model: "steady" }, {}, team.key)).status);
    const refused = statuses.filter((status) => status === 429).length;
    expect(refused).toBeGreaterThan(1);
    const own = gateway.stack.client(team.key);
    const told = await eventually(async () => {
      const found = await stats(own);
      expect(found.requests).toBe(statuses.length);
      return found;
    });
    expect(told.limits_hit).toEqual({
      requests: refused,
      by_limit: [{ unit: "requests", window: "day", requests: refused }],
    });
    const hits = caches.filter((cache) => cache === "hit").length;
    const misses = caches.filter((cache) => cache === "miss").length;
    expect(told.cache).toEqual({ hits, misses, hit_ratio: hits / (hits + misses) });
    // 3 were let through by the limit: hits are free of it.
    expect(statuses.filter((status) => status === 200)).toHaveLength(3 + hits);
  });

  it("adds all teams up for super admins, and shows a team nothing of another", async () => {
    const other = await gateway.stack.createTeam();
    const stranger = gateway.stack.client(other.key);
    expect(await stats(stranger)).toMatchObject({ requests: 0, models: [], providers: [] });
    await ask({ model: "steady" }, {}, other.key);
    await eventually(async () => expect((await stats(stranger)).requests).toBe(1));
    const [count] = await gateway.stack.sql<{ n: number }>(
      "SELECT count(*)::int AS n FROM usage_records WHERE id NOT LIKE 'lease%'",
    );
    const total = await stats(gateway.stack.admin);
    expect(total.team_id).toBeNull();
    expect(total.requests).toBe(count?.n);
    const { status } = await stranger.request("GET", `/gateway/stats?team_id=${gateway.teamId}`);
    expect(status).toBe(404);
    expect((await gateway.stack.client(null).request("GET", "/gateway/stats")).status).toBe(401);
  });

  it("shows circuits that are open, with the provider's own name of the model for super admins only", async () => {
    await eventually(async () => {
      await ask({ model: "broken" });
      const { circuits } = await stats(client);
      expect(circuits.not_closed).toMatchObject([
        { provider: "provider-30000", models: ["broken"], state: "open", target_model: null },
      ]);
      expect(circuits.open).toBe(1);
    });
    const { circuits } = await stats(gateway.stack.admin);
    expect(circuits.not_closed).toMatchObject([{ target_model: "s-broken" }]);
  });
});
