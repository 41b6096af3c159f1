import type { z } from "zod";
import { pause } from "../../kernel/pause.ts";
import { JobFailure, type JobProgram, type JobRun } from "../job-type.ts";
import { selfTest, type SelfTestInput, type selfTestResult } from "./self-test-type.ts";

/** How long it waits for an approval, in milliseconds. */
const APPROVAL_MS = 60 * 60 * 1000;

/** What the job type `self_test` does. */
export const selfTestProgram: JobProgram<SelfTestInput, z.output<typeof selfTestResult>> = {
  type: selfTest,
  version: 1,
  async run(job) {
    const { input, step } = job;
    job.log(`Counting to ${input.count}`);
    const counted = await step.chunks<number, number>("count", {
      start: 0,
      open: (done) => numbers(job, done),
      commit: (_context, number) => {
        job.progress(number, input.count, `Counted to ${number}`);
        return Promise.resolve(number);
      },
    });
    await step.run("write the file", async () => {
      const lines = Array.from({ length: counted }, (_, index) => `${index + 1}\n`);
      const body = `number\n${lines.join("")}`;
      await job.saveResult({ name: "numbers.csv", contentType: "text/csv", body });
    });
    const approved = input.approval
      ? await step.waitForEvent("approval", "approval", APPROVAL_MS)
      : null;
    if (input.fail) throw new JobFailure("It was asked to fail.");
    return { counted, approved };
  },
};

/** The numbers that are left, each after its pause. */
async function* numbers(
  { input, signal }: JobRun<SelfTestInput>,
  done: number,
): AsyncGenerator<number> {
  for (let number = done + 1; number <= input.count; number++) {
    if (input.pause_ms > 0) await pause(input.pause_ms, signal);
    signal.throwIfAborted();
    yield number;
  }
}
