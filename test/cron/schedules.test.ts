import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { SCHEDULES } from "#core/schedules/schedules.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { type FaultLink, startFaultLink } from "#test/harness/fault-link.ts";

let stack: Stack;
let link: FaultLink;
let team: { teamId: string; client: ApiClient };

beforeAll(async () => {
  const postgres = inject("postgres");
  link = await startFaultLink(postgres.neonProxy);
  stack = await startStack({
    postgres,
    vars: {
      NEON_LOCAL_PROXY: link.address,
      TIME_ZONE: "Europe/Berlin",
      USAGE_RETENTION_DAYS: "30",
      TELEGRAM_BOT_TOKEN: "",
    },
  });
  team = await stack.createTeam();
});
afterAll(async () => {
  await stack?.stop();
  await link?.stop();
});

interface Run {
  id: string;
  name: string;
  trigger: string;
  state: string;
  attempts: number;
  scheduled_at: string;
  started_at: string | null;
  ended_at: string | null;
  result: Record<string, unknown> | null;
  error: string | null;
}

const PATH = "/v1/admin/schedules";
const runNow = (name: string) => stack.admin.expect<Run>(200, "POST", `${PATH}/${name}/run`);
const runsOf = async (name: string) =>
  (await stack.admin.expect<{ data: Run[] }>(200, "GET", `${PATH}/${name}/runs?limit=200`)).data;
const row = async (id: string) =>
  (
    await stack.sql<{ state: string; attempts: number; error: string | null }>(
      "SELECT * FROM schedule_runs WHERE id = $1",
      [id],
    )
  )[0];
const DAY_MS = 86_400_000;

describe("a run by hand", () => {
  it.each(SCHEDULES.map((schedule) => schedule.name))(
    "runs %s and tells what it did",
    async (name) => {
      const run = await runNow(name);
      expect(run).toMatchObject({
        name,
        trigger: "manual",
        state: "succeeded",
        attempts: 1,
        error: null,
      });
      expect(run.result).toBeTypeOf("object");
      expect(Date.parse(run.ended_at ?? "")).toBeGreaterThanOrEqual(
        Date.parse(run.started_at ?? ""),
      );
      expect(await stack.admin.expect(200, "GET", `${PATH}/${name}/runs/${run.id}`)).toEqual(run);
      expect(await runsOf(name)).toContainEqual(run);
    },
  );

  it("is refused for an unknown schedule, with the names there are", async () => {
    for (const [method, path] of [
      ["POST", "no_such/run"],
      ["GET", "no_such/runs"],
      ["GET", "no_such/runs/run_1"],
    ] as const) {
      const problem = await stack.admin.expect<{ code: string; detail: string }>(
        404,
        method,
        `${PATH}/${path}`,
      );
      expect(problem.code).toBe("not_found");
      for (const { name } of SCHEDULES) expect(problem.detail).toContain(name);
    }
  });

  it("is for super admins only", async () => {
    for (const [method, path] of [
      ["POST", "health_check/run"],
      ["GET", ""],
      ["GET", "health_check/runs"],
    ] as const) {
      const url = path === "" ? PATH : `${PATH}/${path}`;
      expect((await team.client.request(method, url)).status).toBe(403);
      expect((await stack.client(null).request(method, url)).status).toBe(401);
    }
    expect(await runsOf("health_check")).toHaveLength(1);
  });

  it("answers a repeated Idempotency-Key with the same run", async () => {
    const again = { "idempotency-key": "run-1" };
    const first = await stack.admin.expect<Run>(
      200,
      "POST",
      `${PATH}/expire_keys/run`,
      undefined,
      again,
    );
    const second = await stack.admin.expect<Run>(
      200,
      "POST",
      `${PATH}/expire_keys/run`,
      undefined,
      again,
    );
    expect(second).toEqual(first);
  });

  it("gives requests of the same moment runs of their own", async () => {
    const runs = await Promise.all(Array.from({ length: 5 }, () => runNow("roll_up_usage")));
    expect(new Set(runs.map((run) => run.id)).size).toBe(5);
  });

  it("is started by the sweeper when its message was lost", async () => {
    await stack.sql(
      `INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state, created_at)
       VALUES ('run_lost', 'expire_keys', now(), 'manual', 'queued', now() - interval '1 minute')`,
    );
    await runNow("resend_queued_runs");
    await eventually(async () =>
      expect(await row("run_lost")).toMatchObject({ state: "succeeded", attempts: 1 }),
    );
  });

  it("runs once however often its message comes", async () => {
    await stack.sql(
      `INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state)
       VALUES ('run_twice', 'expire_keys', now() + interval '1 second', 'manual', 'queued')`,
    );
    const deliveries = Array.from({ length: 4 }, () =>
      stack.consume("switchyard-schedules", [{ run_id: "run_twice" }]),
    );
    for (const { retried } of await Promise.all(deliveries)) expect(retried).toEqual([]);
    expect(await row("run_twice")).toMatchObject({ state: "succeeded", attempts: 1 });
  });

  it("acknowledges messages that make no sense and brings those again that could not be looked up", async () => {
    expect((await stack.consume("switchyard-schedules", ["poison"])).retried).toEqual([]);
    expect((await stack.consume("switchyard-schedules", [{ run_id: "run_none" }])).retried).toEqual(
      [],
    );
    await link.set("down");
    try {
      const { retried } = await stack.consume("switchyard-schedules", [{ run_id: "run_twice" }]);
      expect(retried).toEqual(["message-0"]);
    } finally {
      await link.set("up");
    }
  });
});

describe("a run that died", () => {
  const dead = (id: string, name: string, attempts: number) =>
    stack.sql(
      `INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state, attempts, started_at, lease_until, created_at)
       VALUES ($1, $2, now() - random() * interval '1 day', 'cron', 'running', $3, now() - interval '1 hour',
         now() - interval '1 minute', now() - interval '1 hour')`,
      [id, name, attempts],
    );

  it("has failed once its lease is over, where its schedule allows no other attempt", async () => {
    await dead("run_dead", "health_check", 1);
    const sweep = await runNow("resend_queued_runs");
    expect(sweep.result).toMatchObject({ died: 1 });
    expect(await row("run_dead")).toMatchObject({
      state: "failed",
      error: "The run died before it ended.",
    });
  });

  it("is started again where its schedule allows it, and not for ever", async () => {
    await dead("run_again", "roll_up_usage", 1);
    await dead("run_enough", "roll_up_usage", 3);
    await runNow("resend_queued_runs");
    await eventually(async () =>
      expect(await row("run_again")).toMatchObject({ state: "succeeded", attempts: 2 }),
    );
    expect(await row("run_enough")).toMatchObject({ state: "failed", attempts: 3 });
  });

  it("is left alone while its lease lasts", async () => {
    await stack.sql(
      `INSERT INTO schedule_runs (id, name, scheduled_at, trigger, state, attempts, lease_until)
       VALUES ('run_alive', 'roll_up_usage', now(), 'manual', 'running', 1, now() + interval '1 minute')`,
    );
    await runNow("resend_queued_runs");
    expect(await row("run_alive")).toMatchObject({ state: "running", attempts: 1 });
  });
});

it("is repeated when the runtime was killed under it, and answered with 202 while it goes on", async () => {
  const { Client } = (await import("pg")).default;
  const blocker = new Client({ connectionString: stack.databaseUrl });
  await blocker.connect();
  await blocker.query("BEGIN; LOCK TABLE usage_dirty_hours IN ACCESS EXCLUSIVE MODE");
  const run = await stack.admin.expect<Run>(202, "POST", `${PATH}/roll_up_usage/run`);
  expect(run).toMatchObject({ state: "running", attempts: 1, ended_at: null });
  await stack.kill();
  await blocker.end();
  await stack.restart();
  await runNow("resend_queued_runs");
  expect(await row(run.id)).toMatchObject({ state: "running", attempts: 1 }); // its lease is not over
  await stack.sql("UPDATE schedule_runs SET lease_until = now() WHERE id = $1", [run.id]);
  await stack.sql("UPDATE schedule_runs SET created_at = now() - interval '1 hour' WHERE id = $1", [
    run.id,
  ]);
  await runNow("resend_queued_runs");
  await eventually(async () =>
    expect(
      await stack.admin.expect(200, "GET", `${PATH}/roll_up_usage/runs/${run.id}`),
    ).toMatchObject({
      state: "succeeded",
      attempts: 2,
      error: null,
    }),
  );
});

describe("a tick", () => {
  const MINUTE = new Date("2027-02-03T10:05:00.000Z");
  const cronRuns = () =>
    stack.sql<{ name: string; scheduled_at: Date; state: string }>(
      "SELECT name, scheduled_at, state FROM schedule_runs WHERE trigger = 'cron' AND scheduled_at > '2027-01-01' ORDER BY 1, 2",
    );

  it("runs what is due at its minute, and what was missed, once each", async () => {
    await stack.tick(MINUTE);
    const runs = (await cronRuns()).map((run) => [
      run.name,
      run.scheduled_at.toISOString(),
      run.state,
    ]);
    expect(runs).toEqual([
      ["audit_retention", "2027-02-03T03:27:00.000Z", "succeeded"],
      ["cleanup_old_reports", "2027-02-03T01:00:00.000Z", "succeeded"], // 02:00 in Berlin
      ["deliver_callbacks", "2027-02-03T10:05:00.000Z", "succeeded"],
      ["erase_deleted_teams", "2027-02-03T09:41:00.000Z", "succeeded"],
      ["expire_files", "2027-02-03T09:23:00.000Z", "succeeded"],
      ["expire_keys", "2027-02-03T03:37:00.000Z", "succeeded"], // 04:37 in Berlin
      ["expire_sessions", "2027-02-03T03:47:00.000Z", "succeeded"],
      ["health_check", "2027-02-03T10:05:00.000Z", "succeeded"],
      ["make_scheduled_jobs", "2027-02-03T10:05:00.000Z", "succeeded"],
      ["operations_retention", "2027-02-03T03:47:00.000Z", "succeeded"],
      ["refresh_benchmarks", "2027-02-02T23:00:00.000Z", "succeeded"], // 00:00 in Berlin
      ["resend_queued_runs", "2027-02-03T10:05:00.000Z", "succeeded"],
      ["retell_job_ends", "2027-02-03T10:05:00.000Z", "succeeded"],
      ["roll_up_usage", "2027-02-03T10:03:00.000Z", "succeeded"],
      ["stats_retention", "2027-02-03T09:33:00.000Z", "succeeded"],
      ["sweep_jobs", "2027-02-03T10:05:00.000Z", "succeeded"],
      ["usage_retention", "2027-02-03T03:17:00.000Z", "succeeded"],
    ]);
  });

  it("does nothing when it comes again, also several times at once", async () => {
    const before = await cronRuns();
    await Promise.all([
      stack.tick(MINUTE),
      stack.tick(MINUTE),
      stack.tick(new Date(MINUTE.getTime() + 30_000)),
    ]);
    expect(await cronRuns()).toEqual(before);
  });

  it("runs only what each minute brings", async () => {
    const before = (await cronRuns()).length;
    await stack.tick(new Date("2027-02-03T10:06:00.000Z"));
    expect((await cronRuns()).length).toBe(before + 5); // those of every minute
    await stack.tick(new Date("2027-02-03T12:10:00.000Z"));
    const added = (await cronRuns()).filter(
      (run) => run.scheduled_at.toISOString() > "2027-02-03T10:06:30",
    );
    expect(added.map((run) => [run.name, run.scheduled_at.toISOString()])).toEqual([
      ["deliver_callbacks", "2027-02-03T12:10:00.000Z"],
      ["erase_deleted_teams", "2027-02-03T11:41:00.000Z"],
      ["expire_files", "2027-02-03T11:23:00.000Z"],
      ["health_check", "2027-02-03T12:10:00.000Z"],
      ["job_retention", "2027-02-03T12:10:00.000Z"],
      ["make_scheduled_jobs", "2027-02-03T12:10:00.000Z"],
      ["resend_queued_runs", "2027-02-03T12:10:00.000Z"],
      ["retell_job_ends", "2027-02-03T12:10:00.000Z"],
      ["roll_up_usage", "2027-02-03T12:03:00.000Z"], // 11:03 was missed; the later one does its work too
      ["stats_retention", "2027-02-03T11:33:00.000Z"],
      ["sweep_jobs", "2027-02-03T12:10:00.000Z"],
    ]);
  });

  it("makes up for what it could not do while the database was down", async () => {
    await link.set("down");
    await stack.tick(new Date("2027-02-03T13:03:00.000Z")).catch(() => undefined); // the trigger's own failure is the platform's to log
    await link.set("up");
    await stack.tick(new Date("2027-02-03T13:04:00.000Z"));
    const runs = await cronRuns();
    expect(runs.map((run) => run.scheduled_at.toISOString())).toContain("2027-02-03T13:03:00.000Z");
  });
});

it("lists the schedules with their last run and the next time", async () => {
  const { data } = await stack.admin.expect<{
    data: {
      name: string;
      cron: string;
      time_zone: string;
      next_at: string;
      last_run: Run | null;
    }[];
  }>(200, "GET", PATH);
  expect(data.map((schedule) => schedule.name)).toEqual(SCHEDULES.map((schedule) => schedule.name));
  const retention = data.find((schedule) => schedule.name === "usage_retention");
  expect(retention).toMatchObject({ cron: "17 4 * * *", time_zone: "Europe/Berlin" });
  const next = new Date(retention?.next_at ?? "");
  expect(next.getTime() - Date.now()).toBeLessThan(DAY_MS + 3_600_000);
  const berlin = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Europe/Berlin",
    timeStyle: "short",
  });
  expect(berlin.format(next)).toBe("04:17");
  for (const { last_run, name } of data) {
    const [newest] = await runsOf(name);
    expect(last_run).toEqual(newest);
  }
});

it("pages through the runs of a schedule", async () => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${cursor}`;
    const page: { data: Run[]; next_cursor: string | null } = await stack.admin.expect(
      200,
      "GET",
      `${PATH}/roll_up_usage/runs?limit=3${query}`,
    );
    seen.push(...page.data.map((run) => run.id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual((await runsOf("roll_up_usage")).map((run) => run.id));
  expect(seen.length).toBeGreaterThan(6);
});
