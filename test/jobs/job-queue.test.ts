import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

/** What the real queue does with messages that nobody can take, and what is told while jobs pile up. */

/** Four deliveries, half a minute apart, and then the queue of dead letters. */
const DEAD_MS = 300_000;

interface SeenJob {
  id: string;
  state: string;
  waiting_for: string | null;
  error: { code: string; message: string } | null;
  result: unknown;
}

let stack: Stack;
let team: Awaited<ReturnType<Stack["createTeam"]>>;
beforeAll(async () => {
  stack = await startStack({
    postgres: inject("postgres"),
    vars: { JOB_CAPACITY: "1", JOB_QUEUE_AGE_SECONDS: "2" },
  });
  team = await stack.createTeam();
});
afterAll(() => stack?.stop());
afterEach(() => team.client.expect(200, "POST", "/v1/jobs/cancel", { all: true }));

let minute = Date.now();

const make = (input: object, more: object = {}) =>
  team.client.request("POST", "/v1/jobs", { type: "self_test", input, ...more });
async function made(input: object): Promise<string> {
  const response = await make(input);
  expect(response.status).toBe(202);
  return ((await response.json()) as SeenJob).id; // checked by what follows
}
const job = (id: string) => team.client.expect<SeenJob>(200, "GET", `/v1/jobs/${id}`);

interface Readiness {
  status: string;
  dependencies: { jobs: { status: string; detail?: string } };
}
const ready = async () =>
  (await (await stack.client(null).request("GET", "/ready")).json()) as Readiness;

describe("while jobs pile up", () => {
  it("/ready says so and none of low priority is taken, until the queue has drained", async () => {
    const low = { priority: "low" };
    expect((await ready()).dependencies.jobs.status).toBe("ok");
    expect((await make({ count: 0 }, low)).status).toBe(202);
    const blocker = await made({ count: 1_000, pause_ms: 1_000 });
    await eventually(async () => expect((await job(blocker)).state).toBe("running"));
    const waiting = [await made({ count: 1 }), await made({ count: 2 })];

    // While there is no room, the sweeper looks each minute how long they wait.
    await eventually(async () => {
      await stack.tick(new Date((minute += 60_000)));
      const { status, dependencies } = await ready();
      expect(status).toBe("degraded");
      expect(dependencies.jobs).toMatchObject({
        status: "failing",
        detail: expect.stringContaining("low priority"),
      });
    });
    const refused = await make({ count: 0 }, low);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ type: expect.stringContaining("unavailable") });
    expect(await job(waiting[0] ?? "")).toMatchObject({ state: "queued", waiting_for: "capacity" });
    // Of any other priority they are.
    waiting.push(await made({ count: 3 }));

    await team.client.expect(200, "POST", `/v1/jobs/${blocker}/cancel`);
    await eventually(async () => {
      for (const id of waiting) expect((await job(id)).state).toBe("succeeded");
    });
    await eventually(async () => expect((await ready()).dependencies.jobs.status).toBe("ok"));
    expect((await make({ count: 0 }, low)).status).toBe(202);
  }, 300_000);
});

describe("a message that is delivered to the end and never acknowledged", () => {
  it("comes to the queue of dead letters: its job says that it crashed, and can be sent again", async () => {
    await stack.sql(`
      CREATE FUNCTION refuse_claims() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'Nobody can claim it';
      END $$;
      CREATE TRIGGER refuse_claims BEFORE UPDATE ON jobs FOR EACH ROW
        WHEN (OLD.lease_until IS NULL AND NEW.lease_until IS NOT NULL) EXECUTE FUNCTION refuse_claims()`);
    const id = await made({ count: 3 });
    const crashed = await eventually(async () => {
      const seen = await job(id);
      expect(seen.error?.code).toBe("crashed");
      return seen;
    }, DEAD_MS);
    expect(crashed.state).toBe("retrying");
    const [row] = await stack.sql("SELECT failures, slot FROM jobs WHERE id = $1", [id]);
    expect(row).toEqual({ failures: 1, slot: false });
    // The letter itself is kept for operators.
    await eventually(async () => {
      const letters = await stack.sql(
        "SELECT queue, reason FROM dead_letters WHERE body::json ->> 'job_id' = $1",
        [id],
      );
      expect(letters).toEqual([
        {
          queue: expect.stringContaining("switchyard-jobs-dead"),
          reason: expect.stringContaining("delivered to the end"),
        },
      ]);
    });
    await stack.sql("DROP TRIGGER refuse_claims ON jobs");
    await team.client.expect(200, "POST", `/v1/jobs/${id}/retry`);
    await eventually(async () =>
      expect(await job(id)).toMatchObject({ state: "succeeded", result: { counted: 3 } }),
    );
  }, 480_000);
});
