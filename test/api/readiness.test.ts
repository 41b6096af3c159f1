import { createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { ApiClient } from "#test/harness/api-client.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

interface Readiness {
  status: string;
  schema: { expected: number; actual: number | null };
  dependencies: Record<string, { status: string; latencyMs: number | null }>;
}

/** Takes connections and never says a word. */
let silent: Server;
let silentAddress = "";
const sockets = new Set<Socket>();
const stacks: Stack[] = [];

beforeAll(async () => {
  silent = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  silentAddress = typeof address === "object" && address ? `127.0.0.1:${address.port}` : "";
});
afterAll(async () => {
  for (const stack of stacks) await stack.stop();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

async function readyWith(vars: Record<string, string>) {
  const stack = await startStack({ postgres: inject("postgres"), workers: ["api"], vars });
  stacks.push(stack);
  const started = performance.now();
  const response = await new ApiClient(() => stack.urls.api, null).request("GET", "/ready");
  const readiness = (await response.json()) as Readiness; // its shape is what is looked at below
  return { stack, status: response.status, readiness, tookMs: performance.now() - started };
}

it("is ready with a database of the expected schema, without a key, and says what is not configured", async () => {
  const { status, readiness } = await readyWith({});
  expect(status).toBe(200);
  expect(readiness.status).toBe("ready");
  expect(readiness.schema.actual).toBe(readiness.schema.expected);
  expect(readiness.dependencies).toMatchObject({
    database: { status: "ok", latencyMs: expect.any(Number) },
    cache: { status: "ok", latencyMs: expect.any(Number) },
    ai_service: { status: "not_configured" },
    queue: { status: "unknown" },
    telegram_api: { status: "unknown" },
  });
});

it("cuts a cache and a model service that hang after two seconds, and serves on", async () => {
  const { status, readiness, tookMs } = await readyWith({
    UPSTASH_REDIS_REST_URL: `http://${silentAddress}`,
    AI_SERVICE_URL: `http://${silentAddress}/v1`,
  });
  expect(status).toBe(200);
  expect(readiness.status).toBe("degraded");
  expect(readiness.dependencies).toMatchObject({
    database: { status: "ok" },
    cache: { status: "failing" },
    ai_service: { status: "failing" },
  });
  expect(readiness.dependencies["ai_service"]?.latencyMs).toBeGreaterThanOrEqual(1_900);
  expect(tookMs).toBeLessThan(20_000); // far below a time-out of TCP; the cut itself is checked above
});

it("is not ready with a database that hangs", async () => {
  const { status, readiness } = await readyWith({ NEON_LOCAL_PROXY: silentAddress });
  expect(status).toBe(503);
  expect(readiness.status).toBe("not_ready");
  expect(readiness.dependencies["database"]?.status).toBe("failing");
});

it("is not ready with a database that is not migrated, and is alive all the same", async () => {
  const { stack } = await readyWith({});
  await stack.sql("DROP SCHEMA drizzle CASCADE");
  await stack.restart();
  const response = await stack.client(null).request("GET", "/ready");
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({
    status: "not_ready",
    schema: { actual: null },
    dependencies: { database: { status: "ok" } },
  });
  expect((await stack.client(null).request("GET", "/health")).status).toBe(200);
});

it("says in one sentence which settings are missing, and never their values", async () => {
  const { stack } = await readyWith({});
  await stack.restart({ MASTER_KEY: "not-a-master-key", DATABASE_URL: "mysql://secret@host/x" });
  const response = await stack.admin.request("GET", "/v1/teams");
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(text).toContain("MASTER_KEY");
  expect(text).toContain("DATABASE_URL");
  expect(text).not.toContain("not-a-master-key");
  expect(text).not.toContain("secret@host");
});
