import { sql } from "drizzle-orm";
import { z } from "zod";
import type { TransactionContext } from "#core/kernel/context.ts";
import { JobFailure, type JobProgram, type JobRun, type Json } from "#core/jobs/job-type.ts";

/** Writes what happened, within the transaction of a step: twice is two rows. */
export async function effect(
  context: TransactionContext,
  jobId: string,
  what: string,
): Promise<void> {
  await context.db.execute(sql`INSERT INTO effects VALUES (${jobId}, ${what})`);
}

export async function* numbersFrom(start: number, end: number): AsyncGenerator<number> {
  for (let number = start + 1; number <= end; number++) yield await Promise.resolve(number);
}

/** A program that is made of a function, for a test. */
export function program<Result extends Json>(
  name: string,
  run: (job: JobRun<Json>) => Promise<Result>,
  more: Partial<Omit<JobProgram<Json, Json>, "type">> & {
    type?: Partial<JobProgram<Json, Json>["type"]>;
  } = {},
): JobProgram<Json, Json> {
  return {
    version: 1,
    ...more,
    run,
    type: {
      name,
      summary: "A program of a test.",
      scope: "jobs",
      input: z.json(),
      result: z.json(),
      ...more.type,
    },
  };
}

/** A small job with one effect, which fails where its input is `bad`. */
export const small = program("small", async (job) => {
  if (job.input === "bad") throw new JobFailure("The input is bad.");
  await job.step.transaction("work", (inner) =>
    effect(inner, job.id, `small ${String(job.input)}`),
  );
  return job.input;
});

/** Everything that a program can be made of. */
export const everything = program("everything", async (job) => {
  job.log("begins");
  const first = await job.step.run("first", () => Promise.resolve({ at: "first" }));
  await job.step.transaction("note", (inner) => effect(inner, job.id, "note"));
  const counted = await job.step.chunks<number, number>("count", {
    start: 0,
    open: (done) => numbersFrom(done, 4),
    commit: async (inner, number) => {
      await effect(inner, job.id, `chunk ${number}`);
      return number;
    },
  });
  job.progress(counted, 4, "counted");
  await job.step.sleep("rest", 60_000);
  const parts = await job.step.children("parts", small.type, ["a", "b", "c"]);
  const word = await job.step.waitForEvent("approval", "approve", 3_600_000);
  await job.step.run("save", async () => {
    await job.saveResult({ name: "result.txt", contentType: "text/plain", body: String(counted) });
  });
  await job.step.transaction("end", (inner) => effect(inner, job.id, "end"));
  return { first, counted, parts, word };
});
