import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { TokenMemory } from "#core/identity/token-memory.ts";
import type { VerifiedToken } from "#core/identity/verify-token.ts";
import type { LeaseSource } from "#core/meter/asking.ts";
import { LeaseDesk } from "#core/meter/lease-desk.ts";
import { LANES_LIMIT } from "#core/meter/team-desk.ts";
import type { LimitRule } from "#core/meter/limit-rule.ts";
import { LimitBook } from "#core/meter/team-standing.ts";
import { CircuitBoard } from "#core/providers/circuits/circuit-board.ts";
import { routeTo } from "#core/providers/catalog.ts";
import { EpochRing } from "#core/teams/epoch-ring.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { startFaultProvider, type FaultProvider } from "#test/providers/fault-provider.ts";
import { makeRecord } from "#test/usage/database.ts";

/** What users of other gateways complain of that grows, or stays, without end. */

/** How many entries all maps, sets and lists hold that can be reached from something. */
function heldBy(root: unknown): number {
  const seen = new Set<unknown>();
  const queue: unknown[] = [root];
  let held = 0;
  while (queue.length > 0) {
    const next = queue.pop();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    if (next instanceof Map) {
      held += next.size;
      queue.push(...next.values());
    } else if (next instanceof Set || Array.isArray(next)) {
      held += next instanceof Set ? next.size : next.length;
      for (const one of next) queue.push(one);
    } else queue.push(...Object.values(next));
  }
  return held;
}

const SUBJECTS = 60_000;
const now = Date.UTC(2026, 10, 21, 12);

/** What an isolate remembers, and how it is made to remember one more. */
const MEMORIES: Record<string, () => { root: unknown; take(index: number): unknown }> = {
  "keys and epochs, of different keys of different teams": () => {
    const root = new EpochRing<{ teamId: string; epoch: number }>({ of: "key", unknownMs: 60_000 });
    const sources = {
      readCache: () => Promise.resolve(null),
      writeCache: () => Promise.resolve(),
      load: (name: string) => Promise.resolve({ teamId: `team_${name}`, epoch: 1 }),
      epoch: () => Promise.resolve(1),
      background: () => undefined,
      now: () => now,
    };
    return { root, take: (index) => root.find(`hash-${index}`, sources) };
  },
  "keys that nobody knows": () => {
    const root = new EpochRing<{ teamId: string; epoch: number }>({ of: "key", unknownMs: 60_000 });
    const sources = {
      readCache: () => Promise.resolve(null),
      writeCache: () => Promise.resolve(),
      load: () => Promise.resolve(null),
      epoch: () => Promise.resolve(1),
      background: () => undefined,
      now: () => now,
    };
    return { root, take: (index) => root.find(`guess-${index}`, sources) };
  },
  "tokens, each used once": () => {
    const root = new TokenMemory();
    const token = { issuer: "https://issuer.example", expiresAt: now } as VerifiedToken; // what the memory looks at
    const verified = { token, keysVersion: 1 };
    return {
      root,
      take: (index) => root.keep(`token-${index}`, `digest-${index}`, { ...verified }),
    };
  },
  "limits of different teams, and Meters that did not answer": () => {
    const root = new LimitBook();
    return {
      root,
      take(index) {
        root.learn(`team_${index}`, { epoch: 1, limits: [], guardRails: null, skillsOff: [] }, now);
        root.miss(`team_${index}`, now);
      },
    };
  },
  "circuits, of models that clients make up": () => {
    const root = new CircuitBoard();
    const catalog = { version: 1, providers: {}, models: {} };
    const service = { url: "https://models.example/v1", apiKey: null, models: [] };
    return {
      root,
      take(index) {
        const [target] = routeTo(`made-up-${index}`, catalog, service).targets;
        root.leave(target, "closed", { error: null, latencyMs: 5, retryAfterMs: 0 }, now);
      },
    };
  },
};

describe("BerriAI/litellm#12685: memory does not grow with all that was ever seen", () => {
  it.each(Object.entries(MEMORIES))("%s", async (_name, make) => {
    const { root, take } = make();
    for (let index = 0; index < SUBJECTS; index++) await take(index);
    const first = heldBy(root);
    for (let index = SUBJECTS; index < 2 * SUBJECTS; index++) await take(index);
    expect(first).toBeGreaterThan(0);
    expect(heldBy(root)).toBeLessThanOrEqual(first);
  });

  it("leases, where each of many end users has a limit", async () => {
    const desk = new LeaseDesk();
    const rule: LimitRule = {
      id: "lim_1",
      keyId: null,
      unit: "requests",
      window: "day",
      max: 5,
      model: null,
      endUser: "*",
      soft: false,
      onError: "open",
      prepaid: false,
      raise: null,
      refill: null,
    };
    const refuseAll: LeaseSource = {
      lease: () => Promise.reject(new Error("The Meter is gone")),
      granted: () => undefined,
      background: () => undefined,
      wait: () => Promise.resolve(),
      refuse: () => new Error("refused"),
      unreachable: () => new Error("unreachable"),
      now: () => now,
    };
    const worst = () => ({ tokens: 1, micros: 1, outputCap: 1 });
    for (let index = 0; index < 3 * LANES_LIMIT; index++) {
      const subject = { requestId: `req_${index}`, endUser: `user-${index}`, model: "m" };
      const asking = { teamId: "team_1", rules: [rule], keyId: null, worst, deadlineAt: now };
      await Promise.resolve(desk.admit({ ...asking, ...subject }, refuseAll)).catch(
        () => undefined,
      );
      desk.settle("team_1", makeRecord({ id: `req_${index}` }));
      if (index % 500 === 0) {
        const log = desk.log("team_1", now);
        if (log) desk.acknowledged("team_1", log, log.firstEntry + log.entries.length - 1);
      }
    }
    const log = desk.log("team_1", now);
    if (log) desk.acknowledged("team_1", log, log.firstEntry + log.entries.length - 1);
    expect(desk.size).toBeLessThanOrEqual(LANES_LIMIT);
  });
});

let stack: Stack;
let provider: FaultProvider;
beforeAll(async () => {
  provider = await startFaultProvider();
  stack = await startStack({ postgres: inject("postgres"), vars: { USAGE_RETENTION_DAYS: "30" } });
});
afterAll(async () => {
  await stack?.stop();
  await provider?.stop();
});

describe("BerriAI/litellm#18708, #2235: the table of single requests does not fill Postgres", () => {
  const DAY_MS = 86_400_000;
  const partitions = async () =>
    (
      await stack.sql<{ name: string }>(
        "SELECT relid::text AS name FROM pg_partition_tree('usage_records') WHERE isleaf",
      )
    ).map(({ name }) => name);

  it("months that are over go as a whole, what is left is a month at most, and the sums stay", async () => {
    const { teamId, client } = await stack.createTeam();
    const monthsAgo = (months: number) => Date.now() - months * 31 * DAY_MS;
    await stack.sql("SELECT ensure_usage_partitions($1::timestamptz, 4)", [new Date(monthsAgo(4))]);
    const before = await partitions();
    const records = [4, 3, 2].flatMap((months) =>
      Array.from({ length: 20 }, () => makeRecord({ at: monthsAgo(months) })),
    );
    const batches = [{ id: "batch_1", records }];
    await stack.consume("switchyard-usage", [{ kind: "usage", teamId, batches }]);
    const sum = async () => {
      const from = new Date(monthsAgo(6)).toISOString();
      type Sums = { data: { requests: number }[] };
      const path = `/v1/usage?from=${from}&group_by=model`;
      const { data } = await client.expect<Sums>(200, "GET", path);
      return data.reduce((all, { requests }) => all + requests, 0);
    };
    await eventually(async () => expect(await sum()).toBe(60));
    const path = "/v1/admin/schedules/usage_retention/run";
    await stack.admin.request("POST", path, {}, { "idempotency-key": crypto.randomUUID() });
    await eventually(async () => {
      const [row] = await stack.sql("SELECT 1 FROM usage_records WHERE team_id = $1", [teamId]);
      expect(row).toBeUndefined();
    });
    const after = await partitions();
    expect(before.filter((name) => !after.includes(name)).length).toBeGreaterThanOrEqual(2);
    expect(await sum()).toBe(60);
  });

  it("a record is small, and nothing that was asked or answered is in it", async () => {
    const { teamId, client } = await stack.createTeam();
    const secret = `a-secret-${crypto.randomUUID()}`;
    const content = `${secret} ${"long ".repeat(20_000)}`;
    await client.expect(200, "POST", "/v1/chat/completions", {
      model: "builtin",
      messages: [{ role: "user", content }],
    });
    const [record] = await eventually(async () => {
      const rows = await stack.sql<{ size: number; text: string }>(
        `SELECT pg_column_size(usage_records.*) AS size, usage_records::text AS text
         FROM usage_records WHERE team_id = $1`,
        [teamId],
      );
      expect(rows).toHaveLength(1);
      return rows;
    });
    expect(record?.size).toBeLessThan(600);
    expect(record?.text).not.toContain(secret);
  });
});

it("hashicorp/consul#1188: what a dead instance held does not stay with it", async () => {
  const { teamId, key, client } = await stack.createTeam();
  const limits = [{ unit: "concurrency", max: 1 }];
  await stack.admin.expect(200, "PUT", `/v1/teams/${teamId}/limits`, { limits });
  provider.script("stuck", { connection: "hang" });
  await stack.admin.expect(201, "PUT", "/v1/admin/providers/mortal", {
    base_url: provider.url,
    timeouts: { total_ms: 8_000 },
  });
  for (const model of ["stuck", "fine"])
    await stack.admin.expect(201, "PUT", `/v1/admin/models/${model}`, {
      targets: [{ provider: "mortal", model }],
    });
  const messages = [{ role: "user", content: "hi" }];
  const instance = await stack.startSecondApi();
  const cutOff = instance
    .client(key)
    .request("POST", "/v1/chat/completions", { model: "stuck", messages })
    .catch(() => null);
  await eventually(() => expect(provider.requestsFor("stuck")).toHaveLength(1));
  const statusOf = async () => {
    const body = { model: "fine", messages };
    const response = await client.request("POST", "/v1/chat/completions", body);
    await response.text();
    return response.status;
  };
  expect(await statusOf()).toBe(429); // the only slot is taken
  instance.kill();
  await cutOff;
  // Nobody deregisters it: its slot is free when the request that it ran must have ended.
  await eventually(async () => expect(await statusOf()).toBe(200));
  expect(await statusOf()).toBe(200);
  await instance.stop();
});
