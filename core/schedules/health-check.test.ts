import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { openTestDatabase, scheduleContext, type TestDatabase } from "#test/usage/database.ts";
import { healthCheck } from "./health-check.ts";
import { recordQueueProbe } from "./record-queue-probe.ts";

let database: TestDatabase;
beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => void (await database.pool.query("TRUNCATE health_checks, schedule_runs")));

const T = Date.UTC(2026, 10, 21, 12);
const minutes = (count: number) => new Date(T + count * 60_000);
const contextAt = (time: Date) => database.context({ now: time });
const check = (time: Date, over = {}) =>
  healthCheck.run(scheduleContext(contextAt(time), { deadline: time, ...over }));
const health = async () => {
  const { rows } = await database.pool.query("SELECT * FROM health_checks ORDER BY name");
  return Object.fromEntries(rows.map((row) => [row.name, row]));
};

it("stores what each check said, and replaces what an earlier one said", async () => {
  const fine = () => Promise.resolve({ status: "ok", latencyMs: 3 } as const);
  const dependencies = {
    database: fine,
    cache: () =>
      Promise.resolve({ status: "failing", latencyMs: 2_000, detail: "No answer." } as const),
    ai_service: () => Promise.resolve({ status: "not_configured", latencyMs: null } as const),
    telegram_api: fine,
  };
  await check(minutes(0), { dependencies });
  expect(await health()).toMatchObject({
    database: { status: "ok", latency_ms: 3, detail: null },
    cache: { status: "failing", latency_ms: 2_000, detail: "No answer." },
    ai_service: { status: "not_configured", latency_ms: null },
  });
  await check(minutes(5));
  expect(await health()).toMatchObject({
    cache: { status: "ok", detail: null, checked_at: minutes(5) },
  });
});

it("says nothing of the queue before a probe can have come through", async () => {
  expect(await check(minutes(0))).toMatchObject({ queue: "unknown" });
  expect(await health()).not.toHaveProperty("queue");
});

it("calls the queue failing when the last probe is older than 15 minutes, until one comes", async () => {
  await recordQueueProbe(contextAt(minutes(0)), T - 50);
  expect(await check(minutes(15))).toMatchObject({ queue: "ok" });
  expect(await check(minutes(16))).toMatchObject({ queue: "failing" });
  const { queue } = await health();
  expect(queue).toMatchObject({ status: "failing", checked_at: minutes(0) });
  expect(queue.detail).toContain(minutes(0).toISOString());
  await recordQueueProbe(contextAt(minutes(17)), T + 16 * 60_000);
  expect(await health()).toMatchObject({ queue: { status: "ok", checked_at: minutes(17) } });
});

it("calls a queue failing that has never brought a probe, once one should have come", async () => {
  await database.pool.query(
    `INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state, started_at)
     VALUES ('run_1', 'health_check', $1, 'cron', 'succeeded', $1)`,
    [minutes(0)],
  );
  expect(await check(minutes(10))).toMatchObject({ queue: "unknown" });
  expect(await check(minutes(16))).toMatchObject({ queue: "failing" });
});

it("calls a queue failing that takes no message", async () => {
  await recordQueueProbe(contextAt(minutes(0)), T);
  const sendProbe = () => Promise.reject(new Error("queue is gone"));
  expect(await check(minutes(1), { sendProbe })).toMatchObject({ queue: "failing" });
  expect(await health()).toMatchObject({ queue: { detail: "It does not take messages." } });
});
