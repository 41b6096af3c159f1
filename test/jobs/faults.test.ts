import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { AppError } from "#core/kernel/errors.ts";
import { dispatchJobs } from "#core/jobs/dispatch/dispatch-jobs.ts";
import { DispatchTurn } from "#core/jobs/dispatch/dispatch-turn.ts";
import { recoverJobs } from "#core/jobs/engine/recover-jobs.ts";
import { JobFailure, type JobRun, type Json } from "#core/jobs/job-type.ts";
import { retryJob } from "#core/jobs/retry-job.ts";
import { JobWorld } from "./job-world.ts";
import { effect, numbersFrom, program, small } from "./programs.ts";

let act: (job: JobRun<Json>) => Promise<Json> = () => Promise.resolve(null);
const acting = program("acting", (job) => act(job));
/** Five chunks with one effect each. */
const chunked = program("chunked", (job) =>
  job.step.chunks<number, number>("count", {
    start: 0,
    open: (done) => numbersFrom(done, 5),
    commit: async (inner, number) => {
      await effect(inner, job.id, `chunk ${number}`);
      return number;
    },
  }),
);
const CHUNKS = [1, 2, 3, 4, 5].map((number) => `chunk ${number}`);

let world: JobWorld;
let teamId: string;
beforeAll(async () => {
  world = await JobWorld.open(inject("postgres"), [small, acting, chunked]);
  teamId = await world.team();
});
afterAll(() => world.database.drop());
beforeEach(() => world.clear());

const admitted = async (type = acting.type, input: Json = null) => {
  const id = await world.create(teamId, type, input);
  await world.dispatch();
  world.messages.length = 0;
  return id;
};
const job = (id: string) => world.job(teamId, id);

/** A gate that a program waits at until the test opens it. */
function gate() {
  let open: () => void = () => undefined;
  let arrive: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  return {
    arrived,
    open,
    pass: () => {
      arrive();
      return opened;
    },
  };
}

describe("deliveries", () => {
  it("of 150 jobs, 30 % of them twice, to processes of which 5 % die at any commit, leave every effect exactly once", async () => {
    const ids = new Set<string>();
    const teams = [teamId, await world.team(), await world.team()];
    for (let i = 0; i < 150; i++)
      ids.add(await world.create(teams[i % 3] ?? teamId, chunked.type, i));
    let deaths = 0;
    let busy = true;
    const worker = async () => {
      while (busy) {
        const jobId = world.messages.shift();
        if (jobId === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          continue;
        }
        if (Math.random() < 0.3) world.messages.push(jobId);
        const process = world.process({
          killsAt: ({ what }) => what === "commit" && Math.random() < 0.025,
        });
        await process.work(jobId).catch((error: unknown) => {
          if (!process.dead) throw error;
          deaths += 1;
        });
      }
    };
    const workers = Array.from({ length: 6 }, worker);
    try {
      for (let round = 0; round < 400 && (await world.open()) > 0; round++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (round % 4 === 0) await world.passTime(); // takes jobs away from the living, too
        await world.undispatched("UPDATE jobs SET failures = 0");
        await world.process().sweep();
      }
    } finally {
      busy = false;
    }
    await Promise.all(workers);
    expect(deaths).toBeGreaterThan(10);
    const states = await world.sql("SELECT state, count(*)::integer AS n FROM jobs GROUP BY state");
    expect(states).toEqual([{ state: "succeeded", n: 150 }]);
    for (const id of ids) expect(await world.effects(id)).toEqual(CHUNKS);
  }, 300_000);

  it("of one message to two consumers at once run the job once", async () => {
    let runs = 0;
    act = async ({ id, step }) => {
      runs += 1;
      return step.transaction("once", (inner) => effect(inner, id, "once")).then(() => null);
    };
    for (let round = 0; round < 10; round++) {
      const id = await admitted();
      await Promise.all(Array.from({ length: 4 }, () => world.process().work(id)));
      expect(await world.effects(id)).toEqual(["once"]);
    }
    expect(runs).toBe(10);
  });

  it("for jobs that have ended, were deleted or never were change nothing", async () => {
    act = () => Promise.resolve(1);
    const id = await admitted();
    const process = world.process();
    await process.work(id);
    const before = await job(id);
    await process.work(id);
    expect(await job(id)).toEqual(before);
    await world.sql("DELETE FROM jobs WHERE id = $1", [id]);
    await process.work(id);
    await process.work("job_never");
  });

  it("that are lost are made again by the sweeper, and no sooner than they are overdue", async () => {
    act = () => Promise.resolve(1);
    const id = await admitted();
    await world.process().sweep();
    expect(world.messages).toEqual([]);
    await world.passTime(31);
    await world.process().sweep();
    expect(world.messages).toEqual([id]);
    world.messages.length = 0;
    await world.process().sweep(); // it was sent just now
    expect(world.messages).toEqual([]);
  });
});

describe("a process that was taken to be dead", () => {
  it("cannot commit a chunk, a step, a result or an end once another one has the job", async () => {
    const stopped = gate();
    let first = true;
    act = async (run) => {
      const mine = first;
      first = false;
      return run.step.chunks<number, number>("count", {
        start: 0,
        open: (done) => numbersFrom(done, 5),
        commit: async (inner, number) => {
          if (mine && number === 3) await stopped.pass();
          await effect(inner, run.id, `chunk ${number}`);
          return number;
        },
      });
    };
    const id = await admitted();
    const stale = world.process().work(id);
    await stopped.arrived;
    await world.passTime();
    await world.process().sweep(); // finds the lease over
    await world.deliver();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: 5, attempt: 2 });
    stopped.open();
    await stale;
    const ended = await job(id);
    expect(ended).toMatchObject({ state: "succeeded", attempt: 2 });
    expect(ended.attempts.map((attempt) => attempt.outcome)).toEqual(["crashed", "succeeded"]);
    expect(await world.effects(id)).toEqual(CHUNKS);
  });

  it("learns of it by its next beat, and its signal is aborted", async () => {
    const stopped = gate();
    let heard: boolean | null = null;
    let first = true;
    act = async ({ signal, step }) => {
      if (!first) return "second";
      first = false;
      await step.run("long", async () => {
        void stopped.pass();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        heard = signal.aborted;
      });
      return "first";
    };
    const id = await admitted();
    const stale = world.process({ settings: { leaseSeconds: 3 } }).work(id);
    await stopped.arrived;
    await world.sql("UPDATE jobs SET lease_until = now() - interval '1 second'");
    await world.process().sweep();
    await stale;
    expect(heard).toBe(true);
    expect((await job(id)).attempts).toMatchObject([{ outcome: "crashed" }]);
  });

  it("keeps its job as long as it beats, however long a step takes", async () => {
    act = ({ step }) =>
      step
        .run("long", () => new Promise<void>((resolve) => setTimeout(resolve, 3_500)))
        .then(() => "kept");
    const id = await admitted();
    const working = world.process({ settings: { leaseSeconds: 1 } }).work(id);
    let done = false;
    void working.finally(() => (done = true));
    while (!done) {
      await world.process().sweep();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await job(id)).toMatchObject({ state: "succeeded", result: "kept", attempt: 1 });
  });
});

describe("a job whose process dies", () => {
  const die = () => {
    act = (run) =>
      run.step.chunks<number, number>("count", {
        start: 0,
        open: (done) => numbersFrom(done, 100),
        commit: async (inner, number) => {
          await effect(inner, run.id, `chunk ${number}`);
          return number;
        },
      });
  };

  it("with progress each time goes on at once, as often as it takes", async () => {
    die();
    const id = await admitted();
    for (let life = 0; life < 9; life++) {
      let commits = 0;
      const process = world.process({
        killsAt: ({ what }, _, when) => what === "commit" && when === "after" && ++commits === 2,
      });
      await process.work(id).catch(() => undefined);
      expect(process.dead).toBe(true);
      await world.passTime();
      await world.process().sweep();
      expect(await job(id)).toMatchObject({ state: "running", slot: true, failures: 0 });
      expect(world.messages.splice(0)).toContain(id);
    }
    expect(await world.effects(id)).toHaveLength(18);
    expect((await job(id)).attempts).toHaveLength(9);
  });

  it("without progress is retried after pauses, has failed after five, and is tried again by hand with what it has", async () => {
    die();
    const id = await admitted();
    for (let life = 1; life <= 5; life++) {
      const process = world.process({ killsAt: ({ what }) => what === "commit" });
      await process.work(id).catch(() => undefined);
      await world.passTime();
      await recoverJobs(world.process().engine, world.database.context());
      const crashed = await job(id);
      if (life === 5) break;
      expect(crashed).toMatchObject({ state: "retrying", waitingFor: "retry", failures: life });
      const pause = (crashed.dueAt?.getTime() ?? 0) - Date.now();
      expect(pause).toBeLessThanOrEqual(2 ** (life - 1) * 1000);
      expect(pause).toBeGreaterThan(2 ** (life - 1) * 500 - 500);
      await world.passTime();
      await world.dispatch();
      world.messages.length = 0;
    }
    expect(await job(id)).toMatchObject({
      state: "failed",
      errorCode: "crashed",
      slot: false,
      attempts: Array.from({ length: 5 }, () => ({ outcome: "crashed" })),
    });
    await retryJob(world.context(teamId), world.desk, { jobId: id });
    await world.dispatch();
    await world.deliver();
    expect(await job(id)).toMatchObject({ state: "succeeded", attempt: 6 });
    expect(await world.effects(id)).toHaveLength(100);
  });

  it("does no step again that was done before the one in which it died began", async () => {
    const runs: string[] = [];
    let process = world.process();
    act = async ({ step }) => {
      for (const name of ["a", "b", "c"])
        await step.run(name, async () => {
          runs.push(name);
          if (name !== "a" && runs.filter((run) => run === name).length === 1) process.kill();
        });
      return runs;
    };
    const id = await admitted();
    for (let life = 0; life < 3; life++) {
      process = world.process();
      await process.work(id).catch(() => undefined);
      await world.passTime();
      await world.process().sweep();
    }
    expect(runs).toEqual(["a", "b", "b", "c", "c"]);
    expect(await job(id)).toMatchObject({ state: "succeeded", attempt: 3 });
  });

  it("is told to its callback once it has failed, however that came about", async () => {
    die();
    const id = await world.create(teamId, acting.type, null, {
      callbackUrl: "https://callback.test/",
    });
    await world.dispatch();
    await world
      .process({ killsAt: ({ what }) => what === "commit" })
      .work(id)
      .catch(() => undefined);
    await world.sql("UPDATE jobs SET failures = 4");
    await world.passTime();
    await world.process().sweep();
    await world.process().sweep();
    const callbacks = await world.sql("SELECT event, state, url FROM job_callbacks");
    expect(callbacks).toEqual([
      { event: "job.failed", state: "pending", url: "https://callback.test/" },
    ]);
  });
});

describe("an attempt that fails", () => {
  it("is made again after a pause that grows, and says in between that it will be", async () => {
    let runs = 0;
    act = () => {
      runs += 1;
      if (runs < 4) throw new Error("secret detail of the database");
      return Promise.resolve(runs);
    };
    const id = await admitted();
    await world.process().work(id);
    const waiting = await job(id);
    expect(waiting).toMatchObject({
      state: "retrying",
      waitingFor: "retry",
      errorCode: "internal_error",
      failures: 1,
    });
    expect(JSON.stringify(waiting)).not.toContain("secret detail");
    expect(world.delayed).toEqual([{ jobId: id, seconds: 1 }]);
    await world.finish();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: 4, errorCode: null });
  });

  it("has failed after as many as its type says, and waits as long as an error asks", async () => {
    act = () => {
      throw new AppError("rate_limit_exceeded", { message: "Slowly.", retryAfterSeconds: 300 });
    };
    const id = await admitted();
    await world.process().work(id);
    const waiting = await job(id);
    expect(waiting).toMatchObject({ errorCode: "rate_limit_exceeded", errorMessage: "Slowly." });
    expect(waiting.dueAt?.getTime()).toBeGreaterThan(Date.now() + 290_000);
    await world.finish();
    expect((await job(id)).attempts).toHaveLength(5);
    const fewer = program("fewer", () => Promise.reject(new Error("no")), {
      type: { maxAttempts: 2 },
    });
    const few = await world.create(teamId, fewer.type, null);
    await world.dispatch();
    const process = world.process({ programs: [fewer] });
    await world.deliver(process);
    await world.passTime();
    await process.sweep();
    await world.deliver(process);
    expect((await job(few)).state).toBe("failed");
  });

  it("is fenced from what its program goes on to do", async () => {
    act = async ({ step, id }) => {
      try {
        await step.run("fails", () => Promise.reject(new Error("caught")));
      } catch {
        await step.transaction("instead", (inner) => effect(inner, id, "instead"));
      }
      await step.sleep("rest", 1);
      return "done";
    };
    const id = await admitted();
    await world.process().work(id);
    await world.finish();
    expect(await job(id)).toMatchObject({
      state: "succeeded",
      timeline: [
        { name: "fails", state: "failed" },
        { name: "instead", state: "done" },
        { name: "rest", state: "done" },
      ],
    });
    expect(await world.effects(id)).toEqual(["instead"]); // the error was thrown again, not the step run again
  });
});

describe("work that is longer than a process may take", () => {
  it("goes on in a new message at the next chunk, in the same attempt", async () => {
    const id = await admitted(chunked.type);
    const process = world.process({ settings: { sliceSeconds: 0 } });
    for (let chunk = 1; chunk <= 5; chunk++) {
      await process.work(id);
      expect(await world.effects(id)).toHaveLength(chunk); // each process does one, though its time is up
      expect(await job(id)).toMatchObject({ state: "running", slot: true, leaseUntil: null });
      expect(world.messages.splice(0)).toEqual([id]);
    }
    await process.work(id);
    const done = await job(id);
    expect(done).toMatchObject({ attempt: 1, attempts: [{ outcome: "succeeded" }] });
    expect(await world.effects(id)).toEqual(CHUNKS);
  });

  it("in a single step is given up, and is a failed attempt", async () => {
    act = ({ step }) => step.run("endless", () => new Promise<void>(() => undefined)).then(() => 1);
    const id = await admitted();
    await world.process({ settings: { stepSeconds: 0.1 } }).work(id);
    expect(await job(id)).toMatchObject({ state: "retrying", errorCode: "overtime" });
  });
});

describe("a program whose code has changed", () => {
  const version = (number: number, steps: string[], earlier = {}) =>
    program(
      "changing",
      async (run) => {
        for (const name of steps)
          await run.step.transaction(name, (inner) => effect(inner, run.id, name));
        await run.step.sleep("rest", 1_000);
        return steps;
      },
      { version: number, earlier },
    );
  const begin = async () => {
    const first = version(1, ["a", "b"]);
    const id = await world.create(teamId, first.type, null);
    await world.dispatch();
    await world.deliver(world.process({ programs: [first] }));
    expect((await job(id)).waitingFor).toBe("sleep");
    await world.passTime();
    await world.dispatch();
    return id;
  };
  const goOnWith = (changed: ReturnType<typeof version>) =>
    world.deliver(world.process({ programs: [changed] }));
  const retry = async (id: string, fromStart = false) => {
    await retryJob(world.context(teamId), world.desk, { jobId: id, fromStart });
    await world.dispatch();
  };

  it.each([
    ["another name", ["a", "c"], 'asks for the step "c"'],
    ["another order", ["b", "a"], 'asks for the step "b"'],
    ["a step more in between", ["a", "a2", "b"], 'asks for the step "a2"'],
    ["a step less", ["a"], 'asks for the step "rest"'],
  ])("by %s is refused with what differs, and goes on once it is back", async (_, steps, why) => {
    const id = await begin();
    await goOnWith(version(1, steps));
    const refused = await job(id);
    expect(refused).toMatchObject({ state: "failed", errorCode: "program_changed" });
    expect(refused.errorMessage).toContain(why);
    await retry(id);
    await goOnWith(version(1, ["a", "b"]));
    expect(await job(id)).toMatchObject({ state: "succeeded", result: ["a", "b"] });
    expect(await world.effects(id)).toEqual(["a", "b"]);
  });

  it("so that it ends without a step which it had begun is refused", async () => {
    const id = await begin();
    await goOnWith(program("changing", () => Promise.resolve("early")));
    expect(await job(id)).toMatchObject({ state: "failed", errorCode: "program_changed" });
    expect((await job(id)).errorMessage).toContain('without the step "a"');
  });

  it("goes on with the version it began with, is refused where that is gone, and can begin anew with the new one", async () => {
    const id = await begin();
    const second = version(2, ["x"]);
    await goOnWith(second);
    expect(await job(id)).toMatchObject({
      state: "failed",
      errorCode: "program_changed",
      version: 1,
    });
    await retry(id);
    const kept = version(2, ["x"], { 1: version(1, ["a", "b"]).run });
    await goOnWith(kept);
    expect(await job(id)).toMatchObject({ state: "succeeded", result: ["a", "b"], version: 1 });

    const other = await begin();
    await goOnWith(second);
    await retry(other, true);
    await goOnWith(second);
    await world.passTime();
    await world.dispatch();
    await goOnWith(second);
    expect(await job(other)).toMatchObject({ state: "succeeded", result: ["x"], version: 2 });
  });

  it("is refused where its program is gone altogether", async () => {
    const id = await begin();
    await world.deliver(world.process({ programs: [] }));
    expect(await job(id)).toMatchObject({ state: "failed", errorCode: "program_missing" });
  });

  it("begins with the newest version as long as no step is done", async () => {
    const first = version(1, ["a"]);
    const id = await world.create(teamId, first.type, null);
    await world.dispatch();
    const dying = world.process({ programs: [first], killsAt: ({ what }) => what === "commit" });
    await world.deliver(dying).catch(() => undefined);
    await world.passTime();
    await world.process({ programs: [version(2, ["b"])] }).sweep();
    await world.passTime();
    const second = world.process({ programs: [version(2, ["b"])] });
    await second.sweep();
    await world.deliver(second);
    expect(await job(id)).toMatchObject({ version: 2, waitingFor: "sleep" });
    expect(await world.effects(id)).toEqual(["b"]);
  });
});

describe("a program that is wrong", () => {
  it.each<[string, (run: JobRun<Json>) => Promise<Json>, string]>([
    [
      "has two steps of one name",
      async ({ step }) => {
        await step.run("a", () => Promise.resolve());
        await step.run("a", () => Promise.resolve());
        return null;
      },
      "two steps named",
    ],
    [
      "runs two steps at once",
      async ({ step }) => {
        await Promise.all([
          step.run("a", () => new Promise<void>((resolve) => setTimeout(resolve, 50))),
          step.run("b", () => Promise.resolve()),
        ]);
        return null;
      },
      "Steps come one after another",
    ],
    [
      "asks for a step within a transaction",
      async ({ step }) => {
        await step.transaction("outer", () => step.run("inner", () => Promise.resolve()));
        return null;
      },
      "Steps come one after another",
    ],
    [
      "gives what its type does not know",
      () => Promise.resolve(() => 1) as never,
      "its type does not know",
    ],
    [
      "has more steps than a thousand",
      async ({ step }) => {
        for (let i = 0; i < 1_001; i++) await step.run(`step ${i}`, () => Promise.resolve());
        return null;
      },
      "at most 1000 steps",
    ],
  ])("because it %s fails at once, and says so", async (_, run, why) => {
    act = run;
    const id = await admitted();
    await world.process().work(id);
    const refused = await job(id);
    expect(refused).toMatchObject({ state: "failed", errorCode: "program_fault" });
    expect(refused.errorMessage).toContain(why);
    const { rows } = await world.database.pool.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    );
    expect(rows).toEqual([]);
  });

  it("because a step gives too much hears of it, and may do without", async () => {
    act = async ({ step }) => {
      const text = "x".repeat(300_000);
      return step
        .run("large", () => Promise.resolve(text))
        .catch((error: unknown) => {
          expect(error).toBeInstanceOf(JobFailure);
          return "too large";
        });
    };
    const id = await admitted();
    await world.process().work(id);
    expect(await job(id)).toMatchObject({ state: "succeeded", result: "too large" });
  });
});

describe("dead letters", () => {
  it("of a job that nobody could claim count as a crash without progress", async () => {
    const id = await admitted();
    const process = world.process();
    await recoverJobs(process.engine, world.database.context(), { jobId: id, unclaimed: true });
    expect(await job(id)).toMatchObject({ state: "retrying", errorCode: "crashed", failures: 1 });
    await recoverJobs(process.engine, world.database.context(), { jobId: id, unclaimed: true });
    expect(await job(id)).toMatchObject({ failures: 1 }); // it is no longer let in
  });
});

describe("the database's clock", () => {
  it("is the only one that counts: a process with any other keeps and loses its jobs by it", async () => {
    act = async ({ step }) => {
      await step.sleep("rest", 60_000);
      return Date.now();
    };
    const id = await admitted();
    const { engine } = world.process();
    for (const years of [-20, 20]) {
      const skewed = () => new Date(Date.now() + years * 365 * 86_400_000);
      const contextFor: typeof engine.contextFor = (principal) => ({
        ...engine.contextFor(principal),
        now: skewed,
      });
      const { sweepJobs } = await import("#core/jobs/engine/sweep-jobs.ts");
      const { workJob } = await import("#core/jobs/engine/work-job.ts");
      const other = { ...engine, contextFor };
      await workJob(other, id);
      await sweepJobs(other, contextFor({ kind: "system", teamId: null }));
      const asleep = await job(id);
      expect(asleep).toMatchObject({ state: "scheduled", waitingFor: "sleep" });
      const rest = (asleep.dueAt?.getTime() ?? 0) - Date.now();
      expect(Math.abs(rest - 60_000)).toBeLessThan(30_000);
    }
  });
});

describe("dispatchers", () => {
  it("at once never let in more than there is room for, and send one message for each job", async () => {
    for (let i = 0; i < 120; i++) await world.create(teamId, small.type, i);
    const settings = { capacity: 17, teamCapacity: 50 };
    await Promise.all(Array.from({ length: 12 }, () => world.dispatch(settings)));
    const [held] = await world.sql<{ n: number }>(
      "SELECT count(*)::integer AS n FROM jobs WHERE slot",
    );
    expect(held?.n).toBe(17);
    expect(world.messages).toHaveLength(17);
    expect(new Set(world.messages).size).toBe(17);
  });

  it("write nothing that they chose before somebody else let others in", async () => {
    const settings = { capacity: 2, teamCapacity: 2 };
    for (let i = 0; i < 2; i++) await world.create(teamId, small.type, i);
    const context = world.database.context();
    let statements = 0;
    const db = Object.create(context.db) as typeof context.db; // all of it but what comes next
    db.execute = ((...query: Parameters<typeof db.execute>) => {
      statements += 1;
      const run = async () => context.db.execute(...query);
      // The wish, the look, and then what is written.
      if (statements !== 3) return run();
      return overtaken().then(run);
    }) as typeof db.execute; // drizzle's has more to it than being awaited
    const urgent: string[] = [];
    const overtaken = async () => {
      for (let i = 0; i < 2; i++)
        urgent.push(await world.create(teamId, small.type, i, { priority: "high" }));
      await world.dispatch(settings);
    };
    const queue = world.process().engine.queue;
    expect(await dispatchJobs({ ...context, db }, { types: [small.type], settings, queue })).toBe(
      0,
    );
    expect(statements).toBeGreaterThanOrEqual(3);
    expect(world.messages).toEqual(urgent);
    expect(await world.sql("SELECT id FROM jobs WHERE slot ORDER BY id")).toEqual(
      urgent.map((id) => ({ id })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
  });

  it("of one isolate leave it to one of them, who looks again for those who were turned away", async () => {
    for (let round = 0; round < 5; round++) {
      await world.clear();
      const turn = new DispatchTurn();
      const { queue } = world.process().engine;
      const settings = { capacity: 200, teamCapacity: 200 };
      await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          await world.create(teamId, small.type, index);
          await dispatchJobs(world.database.context(), {
            types: [small.type],
            settings,
            queue,
            turn,
          });
        }),
      );
      expect(world.messages).toHaveLength(40);
      expect(new Set(world.messages).size).toBe(40);
    }
  });

  it("overlook nothing that was made while they were at work, without a sweeper", async () => {
    for (let round = 0; round < 5; round++) {
      await world.clear();
      const parts = {
        types: [small.type],
        settings: { capacity: 200, teamCapacity: 200 },
        queue: world.process().engine.queue,
      };
      await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          await world.create(teamId, small.type, index);
          await dispatchJobs(world.database.context(), parts);
        }),
      );
      expect(new Set(world.messages).size).toBe(40);
      expect(world.messages).toHaveLength(40);
    }
  });

  it("keep to the rate of a type over its window, say what waits for it, and arrange one message for when it is over", async () => {
    const rated = program("rated", () => Promise.resolve(1), {
      type: { rate: { max: 3, perSeconds: 60, of: "total" } },
    });
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push(await world.create(teamId, rated.type, i));
    const parts = {
      types: [rated.type],
      settings: world.settings,
      queue: world.process().engine.queue,
    };
    const again = () => dispatchJobs(world.database.context(), parts, { thorough: true });
    expect(await again()).toBe(3);
    expect(await again()).toBe(0);
    expect(await again()).toBe(0);
    expect((await job(ids[5] ?? "")).waitingFor).toBe("rate");
    expect(world.delayed).toHaveLength(1);
    expect(world.delayed[0]?.seconds).toBeGreaterThan(50);
    await world.deliver(world.process({ programs: [rated] }));
    expect(await again()).toBe(0); // those that have ended still count
    await world.passTime(61);
    expect(await again()).toBe(3);
  });

  it("leave jobs of a team that is switched off where they are, and let go of what it held", async () => {
    const off = await world.team();
    const waiting = await world.create(off, small.type, 1);
    await world.dispatch();
    const later = await world.create(off, small.type, 2);
    await world.sql("UPDATE switchboard SET teams_off = ARRAY[$1]", [off]);
    try {
      await world.deliver();
      expect(await world.job(off, waiting)).toMatchObject({ state: "queued", attempt: 0 });
      await world.process().sweep();
      expect(await world.job(off, waiting)).toMatchObject({ slot: false, waitingFor: "team_off" });
      expect(await world.job(off, later)).toMatchObject({ slot: false });
    } finally {
      await world.sql("UPDATE switchboard SET teams_off = '{}'");
    }
    await world.finish();
    expect(await world.job(off, waiting)).toMatchObject({ state: "succeeded" });
  });

  it("stop running jobs of a team that is switched off, and go on with them when it is back", async () => {
    const stopped = gate();
    let runs = 0;
    act = ({ step, signal }) => {
      runs += 1;
      return step.run("long", async () => {
        if (runs > 1) return "second";
        void stopped.pass();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        return "first";
      });
    };
    const id = await admitted();
    const working = world.process({ settings: { leaseSeconds: 1 } }).work(id);
    await stopped.arrived;
    await world.sql("UPDATE switchboard SET teams_off = ARRAY[$1]", [teamId]);
    try {
      await working;
      expect(await job(id)).toMatchObject({ state: "queued", waitingFor: "team_off", slot: false });
    } finally {
      await world.sql("UPDATE switchboard SET teams_off = '{}'");
    }
    await world.finish();
    expect(await job(id)).toMatchObject({ state: "succeeded", result: "second", attempt: 1 });
  });

  it("say how long jobs wait that lack nothing but capacity", async () => {
    const settings = { capacity: 1, teamCapacity: 1 };
    await world.create(teamId, small.type, 1);
    const other = await world.team();
    await world.create(other, small.type, 2);
    await world.sql("UPDATE jobs SET queued_at = now() - interval '400 seconds'");
    await world.dispatch({ capacity: 1, teamCapacity: 1 });
    const pressure = () =>
      world.sql<{ age: number | null }>(
        "SELECT extract(epoch FROM now() - oldest_queued_at)::integer AS age FROM job_pressure",
      );
    expect((await pressure())[0]?.age).toBeGreaterThanOrEqual(400);
    await world.deliver(world.process({ settings }));
    await world.dispatch(settings);
    await world.deliver(world.process({ settings }));
    await world.dispatch(settings);
    expect((await pressure())[0]?.age).toBe(null);
  });
});

it("gives ten teams their turns: when the last job of nine ends, at most 90 of the tenth's 900 have started", async () => {
  const teams = [teamId, ...(await Promise.all(Array.from({ length: 9 }, () => world.team())))];
  await world.sql(
    `INSERT INTO jobs (id, team_id, type, input, created_by, scopes, models, request_hash, state, waiting_for)
     SELECT 'job_big_' || lpad(n::text, 4, '0'), $1, 'small', n::text::json, 'x', '{jobs}', '{*}', '', 'queued', 'capacity'
     FROM generate_series(1, 900) AS n`,
    [teamId],
  );
  await world.dispatch({ capacity: 20, teamCapacity: 10 }); // the big one is there first
  for (const other of teams.slice(1))
    for (let i = 0; i < 11; i++) await world.create(other, small.type, i);
  const settings = { capacity: 20, teamCapacity: 10 };
  let left = 99;
  const worker = async () => {
    while (left > 0) {
      const jobId = world.messages.shift();
      if (jobId === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      await world.process({ settings }).work(jobId);
      if (!jobId.startsWith("job_big")) left -= 1;
    }
  };
  await Promise.all(Array.from({ length: 5 }, worker));
  const [row] = await world.sql<{ started: number }>(
    "SELECT count(*)::integer AS started FROM jobs WHERE team_id = $1 AND started_at IS NOT NULL",
    [teamId],
  );
  expect(row?.started).toBeLessThanOrEqual(90);
  expect(row?.started).toBeGreaterThan(5);
}, 300_000);
