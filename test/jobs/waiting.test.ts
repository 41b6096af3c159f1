import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { cancelJob } from "#core/jobs/cancel-job.ts";
import { retryJob } from "#core/jobs/retry-job.ts";
import { sendJobEvent } from "#core/jobs/send-event.ts";
import type { JobRun, Json } from "#core/jobs/job-type.ts";
import { JobWorld } from "./job-world.ts";
import { effect, everything, program, small } from "./programs.ts";

/** What the programs of these tests do, each named for the test that needs it. */
let act: (job: JobRun<Json>) => Promise<Json> = () => Promise.resolve(null);
const acting = program("acting", (job) => act(job));
const parent = program("parent", async (job) => {
  const inputs = job.input as Json[];
  return job.step.children("parts", small.type, inputs);
});

let world: JobWorld;
let teamId: string;
beforeAll(async () => {
  world = await JobWorld.open(inject("postgres"), [small, everything, acting, parent]);
  teamId = await world.team();
});
afterAll(() => world.database.drop());
beforeEach(() => world.clear());

const start = async (type = acting.type, input: Json = null) => {
  const id = await world.create(teamId, type, input);
  await world.dispatch();
  await world.deliver();
  return id;
};
const job = (id: string) => world.job(teamId, id);
const cancel = (jobId: string) => cancelJob(world.context(teamId), world.desk, { jobId });
const retry = (jobId: string, fromStart = false) =>
  retryJob(world.context(teamId), world.desk, { jobId, fromStart });
const send = (jobId: string, event: string, payload: unknown, id?: string) =>
  sendJobEvent(world.context(teamId), world.desk, { jobId, event, payload, ...(id ? { id } : {}) });
const goOn = async () => {
  await world.dispatch();
  await world.deliver();
};

describe("a sleep", () => {
  it("holds nothing, says what it waits for, and goes on when its time has come", async () => {
    act = async ({ step }) => {
      await step.sleep("nap", 3_600_000);
      return "awake";
    };
    const id = await start();
    const asleep = await job(id);
    expect(asleep).toMatchObject({
      state: "scheduled",
      waitingFor: "sleep",
      slot: false,
      leaseUntil: null,
      attempt: 1,
      inAttempt: true,
    });
    expect(asleep.dueAt?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    await goOn();
    expect((await job(id)).state).toBe("scheduled");
    await world.passTime(3_700);
    await goOn();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: "awake", attempt: 1 });
  });

  it("ends by a delayed message where it is short, and until a time that is past at once", async () => {
    act = async ({ step }) => {
      await step.sleep("blink", 1_500);
      await step.sleepUntil("until then", new Date(0));
      return "awake";
    };
    const id = await start();
    expect(world.delayed).toEqual([{ jobId: id, seconds: 2 }]);
    await world.finish();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: "awake" });
  });

  it("does not end early when a message comes too soon", async () => {
    act = async ({ step }) => {
      await step.sleep("nap", 3_600_000);
      return "awake";
    };
    const id = await start();
    await world.sql("UPDATE jobs SET due_at = now()"); // as if it had been let in by mistake
    await goOn();
    const again = await job(id);
    expect(again).toMatchObject({ state: "scheduled", waitingFor: "sleep" });
    expect(again.dueAt?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
  });
});

describe("a wait for an event", () => {
  beforeEach(() => {
    act = ({ step }) => step.waitForEvent("approval", "approve", 3_600_000);
  });

  it("ends with what was sent", async () => {
    const id = await start();
    expect(await job(id)).toMatchObject({ state: "scheduled", waitingFor: "event:approve" });
    await send(id, "other", 1);
    await goOn();
    expect((await job(id)).state).toBe("scheduled");
    await send(id, "approve", { by: "Ada", text: "ja\u0000" });
    await goOn();
    expect(await job(id)).toMatchObject({
      state: "succeeded",
      result: { by: "Ada", text: "ja\u0000" },
    });
  });

  it("takes an event that was sent before, and each event once, in their order", async () => {
    act = async ({ step }) => [
      await step.waitForEvent("first", "number", 1_000),
      await step.waitForEvent("second", "number", 1_000),
    ];
    const id = await world.create(teamId, acting.type, null);
    await send(id, "number", 1);
    await send(id, "number", 2, "mine");
    expect(await send(id, "number", 3, "mine")).toEqual({ id: "mine", created: false });
    await goOn();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: [1, 2] });
  });

  it("gives null when its time is up", async () => {
    const id = await start();
    await world.passTime(3_700);
    await goOn();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: null });
  });

  it("misses none that is sent while the step begins to wait", async () => {
    for (let round = 0; round < 12; round++) {
      const id = await world.create(teamId, acting.type, null);
      await world.dispatch();
      const delay = new Promise((resolve) => setTimeout(resolve, round));
      await Promise.all([world.deliver(), delay.then(() => send(id, "approve", round))]);
      await goOn();
      expect(await job(id)).toMatchObject({ state: "succeeded", result: round });
    }
  });

  it("refuses events for jobs that have ended, of others, and more than a thousand", async () => {
    const id = await start();
    const stranger = world.context(await world.team());
    const foreign = sendJobEvent(stranger, world.desk, { jobId: id, event: "x", payload: 1 });
    await expect(foreign).rejects.toMatchObject({ code: "not_found" });
    await world.sql(
      `INSERT INTO job_events (id, job_id, number, name, sent_by)
       SELECT 'e' || n, $1, n, 'other', 'x' FROM generate_series(1, 1000) AS n`,
      [id],
    );
    await expect(send(id, "approve", 1)).rejects.toMatchObject({ code: "conflict" });
    await cancel(id);
    await expect(send(id, "approve", 1)).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("child jobs", () => {
  it("give their results in order, while the parent holds no capacity: one part of it is enough", async () => {
    world.settings = { ...world.settings, capacity: 1, teamCapacity: 1 };
    try {
      const id = await world.create(teamId, parent.type, ["x", "y", "z"]);
      await world.dispatch();
      await world.process().work(world.messages.shift() ?? "");
      expect(await job(id)).toMatchObject({
        state: "scheduled",
        waitingFor: "children",
        slot: false,
      });
      await world.deliver();
      expect(await job(id)).toMatchObject({ state: "succeeded", result: ["x", "y", "z"] });
      const children = await world.sql(
        "SELECT created_by, priority FROM jobs WHERE parent_id = $1",
        [id],
      );
      expect(children).toHaveLength(3);
    } finally {
      world.settings = { ...world.settings, capacity: 50, teamCapacity: 50 };
    }
  });

  it("may be none at all", async () => {
    expect(await job(await start(parent.type, []))).toMatchObject({
      state: "succeeded",
      result: [],
    });
  });

  it("fail their parent when one fails, after all have ended; a retry does only that one again", async () => {
    const id = await start(parent.type, ["x", "bad", "z"]);
    expect(await job(id)).toMatchObject({
      state: "failed",
      errorCode: "job_failure",
      errorMessage: "1 of 3 child jobs did not succeed. The input is bad.",
    });
    await world.sql(`UPDATE jobs SET input = '"good"' WHERE input::text = '"bad"'`);
    await retry(id);
    await goOn();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: ["x", "good", "z"] });
    expect(await world.effects()).toEqual(["small good", "small x", "small z"]);
  });

  it("are cancelled with their parent, and their children with them", async () => {
    act = ({ step }) => step.children("parents", parent.type, [["x"], ["y"]]);
    const id = await world.create(teamId, acting.type, null);
    await world.dispatch();
    for (let i = 0; i < 3; i++) await world.process().work(world.messages.shift() ?? "");
    await cancel(id);
    await world.process().sweep();
    const states = await world.sql<{ state: string }>("SELECT DISTINCT state FROM jobs");
    expect(states).toEqual([{ state: "cancelled" }]);
    world.messages.length = 0;
  });

  it("wake their parent though whoever ended the last one died before it could", async () => {
    const id = await world.create(teamId, parent.type, ["x"]);
    await world.dispatch();
    await world.process().work(world.messages.shift() ?? "");
    await world.sql(
      "UPDATE jobs SET state = 'succeeded', slot = false, result = '5', finished_at = now() WHERE parent_id = $1",
      [id],
    );
    world.messages.length = 0;
    expect((await job(id)).state).toBe("scheduled");
    await world.process().sweep();
    await world.deliver();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: [5] });
  });
});

describe("cancelling", () => {
  it("ends a waiting job at once, in any state of waiting, and is no error twice", async () => {
    act = ({ step }) => step.waitForEvent("e", "e", 1_000_000);
    const queued = await world.create(teamId, acting.type, null);
    expect((await cancel(queued)).state).toBe("cancelled");
    expect((await cancel(queued)).state).toBe("cancelled");
    const waiting = await start();
    expect((await cancel(waiting)).state).toBe("cancelled");
    expect((await job(waiting)).attempts).toMatchObject([{ outcome: "cancelled" }]);
    const admitted = await world.create(teamId, acting.type, null);
    await world.dispatch();
    expect((await cancel(admitted)).state).toBe("cancelled");
    await world.deliver();
    expect(await job(admitted)).toMatchObject({ state: "cancelled", attempt: 0 });
    const audited = await world.sql("SELECT action FROM audit_entries WHERE target_id = $1", [
      admitted,
    ]);
    expect(audited).toEqual([{ action: "job.cancel" }]);
  });

  it("stops a running job at its next chunk, and keeps what is committed", async () => {
    let cancelling = Promise.resolve();
    act = async (run) => {
      await run.step.chunks<number, number>("count", {
        start: 0,
        open: async function* () {
          for (let n = 1; n <= 100; n++) {
            if (n === 3) cancelling = cancel(run.id).then(() => undefined);
            await cancelling;
            yield n;
          }
        },
        commit: async (inner, number) => {
          await effect(inner, run.id, `chunk ${number}`);
          return number;
        },
      });
      return "never";
    };
    const id = await start();
    expect(await job(id)).toMatchObject({
      state: "cancelled",
      cancelRequestedAt: null,
      attempts: [{ outcome: "cancelled" }],
    });
    expect((await world.effects(id)).length).toBeLessThanOrEqual(3);
    await retry(id);
    act = (run) =>
      run.step.chunks<number, number>("count", {
        start: 0,
        open: (done) => numbers(done, 5),
        commit: async (inner, number) => {
          await effect(inner, run.id, `chunk ${number}`);
          return number;
        },
      });
    await goOn();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: 5, attempt: 2 });
    expect(await world.effects(id)).toEqual([1, 2, 3, 4, 5].map((n) => `chunk ${n}`));
  });

  it("reaches a job in the middle of a long step within a beat, by its signal", async () => {
    let aborted = false;
    act = ({ step, signal }) =>
      step
        .run("long", () => {
          const end = new Promise<void>((resolve) =>
            signal.addEventListener("abort", () => {
              aborted = true;
              resolve();
            }),
          );
          return end;
        })
        .then(() => "never");
    const id = await world.create(teamId, acting.type, null);
    await world.dispatch();
    const process = world.process({ settings: { leaseSeconds: 1 } });
    const working = world.deliver(process);
    await cancelOnceRunning(id);
    await working;
    expect(aborted).toBe(true);
    expect((await job(id)).state).toBe("cancelled");
  });

  it.each<[string, (run: JobRun<Json>) => Promise<Json | void>]>([
    ["sleep", ({ step }) => step.sleep("nap", 3_600_000)],
    ["wait for an event", ({ step }) => step.waitForEvent("e", "e", 3_600_000)],
    ["have child jobs", ({ step }) => step.children("parts", small.type, ["a"])],
    ["fail and be tried again", () => Promise.reject(new Error("It failed."))],
    ["be handed over", ({ step }) => step.run("second", () => Promise.resolve(2))],
  ])("is not forgotten by a job that was about to %s and had not heard of it", async (to, next) => {
    act = async (run) => {
      // Longer than the slice of the job that is to be handed over.
      await run.step.run("first", () => new Promise<null>((done) => setTimeout(done, 20, null)));
      await cancel(run.id);
      await next(run);
      return "never";
    };
    const id = await world.create(teamId, acting.type, null);
    await world.dispatch();
    const sliceSeconds = to === "be handed over" ? 0.01 : 300;
    await world.deliver(world.process({ settings: { sliceSeconds } }));
    expect(await job(id)).toMatchObject({
      state: "cancelled",
      cancelRequestedAt: null,
      attempts: [{ outcome: "cancelled" }],
    });
    expect(await world.sql("SELECT id FROM jobs WHERE parent_id = $1", [id])).toEqual([]);
  });

  it("is refused for a job that has ended, and for one of another team", async () => {
    act = () => Promise.resolve(1);
    const id = await start();
    await expect(cancel(id)).rejects.toMatchObject({ code: "conflict" });
    const stranger = world.context(await world.team());
    const foreign = cancelJob(stranger, world.desk, { jobId: id });
    await expect(foreign).rejects.toMatchObject({ code: "not_found" });
  });

  async function cancelOnceRunning(id: string): Promise<void> {
    for (;;) {
      if ((await job(id)).state === "running") break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect((await cancel(id)).cancelRequestedAt).not.toBeNull();
  }
});

async function* numbers(start: number, end: number): AsyncGenerator<number> {
  for (let number = start + 1; number <= end; number++) yield await Promise.resolve(number);
}

describe("retrying by hand", () => {
  it("keeps finished steps, and forgets them where it is to begin from the start", async () => {
    let runs = 0;
    act = async ({ id, step }) => {
      await step.transaction("once", (inner) => effect(inner, id, "once"));
      runs += 1;
      if (runs < 3) throw new Error("not yet");
      return runs;
    };
    const id = await start();
    expect(await job(id)).toMatchObject({ state: "retrying", waitingFor: "retry", failures: 1 });
    await retry(id); // does not wait for the pause
    await goOn();
    expect(await job(id)).toMatchObject({ state: "retrying", attempt: 2 });
    await retry(id);
    await goOn();
    expect(await job(id)).toMatchObject({ state: "succeeded", attempt: 3, result: 3 });
    expect(await world.effects(id)).toEqual(["once"]);
    await expect(retry(id)).rejects.toMatchObject({ code: "conflict" });
    await world.sql("UPDATE jobs SET state = 'failed' WHERE id = $1", [id]);
    await retry(id, true);
    await goOn();
    expect(await job(id)).toMatchObject({ state: "succeeded", attempt: 4 });
    expect(await world.effects(id)).toEqual(["once", "once"]);
  });
});
