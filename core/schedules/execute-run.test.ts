import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { openTestDatabase, scheduleContext, type TestDatabase } from "#test/usage/database.ts";
import { claimDueRuns, claimQueuedRun } from "./claim-runs.ts";
import { executeRun } from "./execute-run.ts";
import { operationsRetention } from "./operations-retention.ts";
import type { Schedule } from "./schedule.ts";

let database: TestDatabase;
beforeAll(async () => (database = await openTestDatabase(inject("postgres"))));
afterAll(() => database.drop());
beforeEach(async () => void (await database.pool.query("TRUNCATE schedule_runs, dead_letters")));

const context = () => scheduleContext(database.context());
const row = async () => (await database.pool.query("SELECT * FROM schedule_runs")).rows[0];

/** A schedule under a name that is registered, with work of the test's own. */
const schedule = (run: Schedule["run"], retries = 1): Schedule => ({
  name: "roll_up_usage",
  description: "",
  cadence: { cron: "* * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 60,
  retries,
  run,
});
const claim = async (of: Schedule) => {
  const [claimed] = await claimDueRuns(context(), [
    { schedule: of, scheduledAt: new Date("2026-11-21T00:00:00Z") },
  ]);
  if (!claimed) throw new Error("not claimed");
  return { ...claimed, schedule: of };
};

it("lets one of many have a run that is due", async () => {
  const due = [
    {
      schedule: schedule(() => Promise.resolve({})),
      scheduledAt: new Date("2026-11-21T00:00:00Z"),
    },
  ];
  const claims = await Promise.all(Array.from({ length: 8 }, () => claimDueRuns(context(), due)));
  expect(claims.flat()).toHaveLength(1);
});

it("lets one of many have a run that waits", async () => {
  await database.pool.query(
    "INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state) VALUES ('run_1', 'roll_up_usage', now(), 'manual', 'queued')",
  );
  const claims = await Promise.all(
    Array.from({ length: 8 }, () => claimQueuedRun(context(), "run_1")),
  );
  expect(claims.filter((claimed) => claimed !== null)).toHaveLength(1);
});

it("ends a run whose schedule this version does not have", async () => {
  await database.pool.query(
    "INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state) VALUES ('run_1', 'gone', now(), 'manual', 'queued')",
  );
  expect(await claimQueuedRun(context(), "run_1")).toBeNull();
  expect(await row()).toMatchObject({ state: "failed" });
});

it("writes what a run did", async () => {
  await executeRun(context(), await claim(schedule(() => Promise.resolve({ done: 3 }))));
  expect(await row()).toMatchObject({
    state: "succeeded",
    result: { done: 3 },
    error: null,
    lease_until: null,
  });
});

it("lets a failed run wait for another attempt as often as its schedule says, then it has failed", async () => {
  const failing = schedule(() => Promise.reject(new Error("the disk is full")), 1);
  const claimed = await claim(failing);
  await executeRun(context(), claimed);
  expect(await row()).toMatchObject({
    state: "queued",
    attempts: 1,
    error: "the disk is full",
    ended_at: null,
  });
  const second = await claimQueuedRun(context(), claimed.run.id);
  if (!second) throw new Error("not claimed");
  await executeRun(context(), { ...second, schedule: failing });
  expect(await row()).toMatchObject({ state: "failed", attempts: 2, error: "the disk is full" });
  expect((await row()).ended_at).toBeInstanceOf(Date);
});

it("keeps a query's parameters out of the error that it stores", async () => {
  const { db } = database.context();
  const secret = "sy_live_should_not_be_seen";
  const failing = schedule(async () => {
    const { teams } = await import("#schema");
    await db.insert(teams).values({ id: secret, name: null as never }); // the database refuses it
    return {};
  }, 0);
  await executeRun(context(), await claim(failing));
  const { error } = await row();
  expect(error).toContain("null value");
  expect(error).not.toContain(secret);
});

it("lets a run that was taken to be dead and started again be ended by its later attempt only", async () => {
  let finish = (_: Record<string, unknown>) => {};
  const slow = schedule(() => new Promise((resolve) => (finish = resolve)));
  const first = await claim(slow);
  const ending = executeRun(context(), first);
  await database.pool.query("UPDATE schedule_runs SET state = 'queued', lease_until = NULL");
  await claimQueuedRun(context(), first.run.id);
  finish({ by: "the first" });
  await ending;
  expect(await row()).toMatchObject({ state: "running", attempts: 2, result: null });
});

it("tells a run when to begin nothing more, well before its lease ends", async () => {
  let deadline = 0;
  const claimed = await claim(
    schedule((given) => {
      deadline = given.deadline.getTime();
      return Promise.resolve({});
    }),
  );
  await executeRun(context(), claimed);
  expect(deadline).toBeLessThan(claimed.run.leaseUntil?.getTime() ?? 0);
});

it("removes old runs and dead letters, keeps what is young or still open", async () => {
  const insert = (id: string, days: number, trigger: string, state: string) =>
    database.pool.query(
      `INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state, created_at)
       VALUES ($1, 'roll_up_usage', now() - $2 * interval '1 day', $3, $4, now() - $2 * interval '1 day')`,
      [id, days, trigger, state],
    );
  await insert("routine_old", 8, "cron", "succeeded");
  await insert("routine_young", 6, "cron", "succeeded");
  await insert("failed_old", 31, "cron", "failed");
  await insert("failed_young", 29, "cron", "failed");
  await insert("manual_young", 28, "manual", "succeeded");
  await insert("open_old", 40, "manual", "queued");
  await database.pool.query(
    "INSERT INTO dead_letters VALUES ('a', 'usage', '', '', now() - interval '31 days'), ('b', 'usage', '', '', now())",
  );
  expect(await operationsRetention.run(context())).toEqual({
    runs_deleted: 2,
    dead_letters_deleted: 1,
    recurring_times_deleted: 0,
  });
  const { rows } = await database.pool.query("SELECT id FROM schedule_runs ORDER BY id");
  expect(rows.map(({ id }) => id)).toEqual([
    "failed_young",
    "manual_young",
    "open_old",
    "routine_young",
  ]);
});
