import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { z } from "zod";
import { JobFailure, type JobProgram } from "#core/jobs/job-type.ts";
import { JobWorld } from "./job-world.ts";

const hello: JobProgram<{ name: string }, string> = {
  type: {
    name: "hello",
    summary: "Says hello.",
    scope: "jobs",
    input: z.object({ name: z.string() }),
    result: z.string(),
  },
  version: 1,
  async run(job) {
    job.log(`Greeting ${job.input.name}`);
    const text = await job.step.run("greet", () => Promise.resolve(`Hello, ${job.input.name}`));
    await job.step.transaction("note", async ({ db }) => {
      await db.execute(sql`INSERT INTO effects VALUES (${job.id}, 'noted')`);
    });
    job.progress(1, 1, "done");
    if (job.input.name === "nobody") throw new JobFailure("There is nobody.");
    return text;
  },
};

let world: JobWorld;
let teamId: string;
beforeAll(async () => {
  world = await JobWorld.open(inject("postgres"), [hello]);
  teamId = await world.team();
});
afterAll(() => world.database.drop());
beforeEach(() => world.clear());

it("works a job to its end, and keeps its timeline, log, progress and result", async () => {
  const id = await world.create(teamId, hello.type, { name: "Ada" });
  expect(await world.dispatch()).toBe(1);
  expect(world.messages).toEqual([id]);
  await world.deliver();
  const job = await world.job(teamId, id);
  expect(job).toMatchObject({
    state: "succeeded",
    result: "Hello, Ada",
    attempt: 1,
    progressDone: 1,
    progressTotal: 1,
    progressMessage: "done",
    waitingFor: null,
    slot: false,
    attempts: [{ number: 1, outcome: "succeeded" }],
    timeline: [
      { name: "greet", kind: "run", state: "done" },
      { name: "note", kind: "transaction", state: "done" },
    ],
    log: [{ number: 1, message: "Greeting Ada" }],
  });
  expect(await world.effects(id)).toEqual(["noted"]);
});

it("fails at once with the program's own sentence when it cannot succeed", async () => {
  const id = await world.create(teamId, hello.type, { name: "nobody" });
  await world.dispatch();
  await world.deliver();
  expect(await world.job(teamId, id)).toMatchObject({
    state: "failed",
    errorCode: "job_failure",
    errorMessage: "There is nobody.",
    attempts: [{ outcome: "failed", errorMessage: "There is nobody." }],
  });
});
