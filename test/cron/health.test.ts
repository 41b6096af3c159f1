import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

let stack: Stack;
let models: Server;
let modelsAnswer = 200;

beforeAll(async () => {
  models = createServer((_request, response) => {
    if (modelsAnswer === 0) return; // it hangs
    response.writeHead(modelsAnswer, { "content-type": "application/json" }).end('{"data":[]}');
  });
  await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
  const address = models.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  stack = await startStack({
    postgres: inject("postgres"),
    vars: {
      TELEGRAM_BOT_TOKEN: "",
      AI_SERVICE_URL: `http://127.0.0.1:${address.port}/v1`,
      AI_SERVICE_MODEL: "test",
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  models.closeAllConnections();
  await new Promise((resolve) => models.close(resolve));
});

interface Ready {
  status: string;
  dependencies: Record<
    string,
    { status: string; latencyMs: number | null; checkedAt?: string; detail?: string }
  >;
}
const ready = () => stack.client(null).expect<Ready>(200, "GET", "/ready");
const check = () =>
  stack.admin.expect<{ result: object }>(200, "POST", "/v1/admin/schedules/health_check/run");

it("sends a probe through the real queue, and /ready shows how long it took", async () => {
  expect((await ready()).dependencies["queue"]?.status).toBe("unknown");
  expect((await check()).result).toMatchObject({
    database: "ok",
    cache: "ok",
    ai_service: "ok",
    telegram_api: "not_configured",
  });
  const { status, dependencies } = await eventually(async () => {
    const readiness = await ready();
    expect(readiness.dependencies["queue"]?.status).toBe("ok");
    return readiness;
  });
  expect(status).toBe("ready");
  expect(dependencies["queue"]?.latencyMs).toBeLessThan(60_000);
  expect(dependencies["telegram_api"]).toMatchObject({ status: "not_configured" });
});

it("shows a queue that brings no probe any more, and a model service that fails", async () => {
  await stack.sql(
    "UPDATE health_checks SET checked_at = now() - interval '16 minutes' WHERE name = 'queue'",
  );
  modelsAnswer = 500;
  expect((await check()).result).toMatchObject({ ai_service: "failing", queue: "failing" });
  // The probe that this check sent comes through, and says so.
  await eventually(async () => {
    const [row] = await stack.sql<{ status: string }>(
      "SELECT status FROM health_checks WHERE name = 'queue'",
    );
    expect(row?.status).toBe("ok");
  });
  const [aiService] = await stack.sql("SELECT * FROM health_checks WHERE name = 'ai_service'");
  expect(aiService).toMatchObject({
    status: "failing",
    detail: "It cannot be reached or refuses us.",
  });
});

it("cuts a dependency that hangs", async () => {
  modelsAnswer = 0;
  expect((await check()).result).toMatchObject({ ai_service: "failing", database: "ok" });
  const [row] = await stack.sql<{ latency_ms: number }>(
    "SELECT * FROM health_checks WHERE name = 'ai_service'",
  );
  expect(row?.latency_ms).toBeGreaterThanOrEqual(1_900);
});

it("says in its log which setting is wrong, since nobody gets an answer of the cron Worker", async () => {
  await stack.restart({ RESULT_DAYS: "0" });
  await stack.tick().catch(() => undefined);
  await eventually(() => {
    const told = stack.logs.entries.find(({ event }) => event === "misconfigured");
    expect(told).toMatchObject({ level: "error", service: "cron" });
    expect(JSON.stringify(told)).toContain("RESULT_DAYS");
  });
});
