import { z } from "zod";
import type { JobType } from "../job-type.ts";

/** The longest pause at each number, in milliseconds. */
const LONGEST_PAUSE_MS = 10_000;

export const selfTestInput = z.strictObject({
  count: z.number().int().min(0).max(10_000).default(10).describe("How far to count"),
  pause_ms: z
    .number()
    .int()
    .min(0)
    .max(LONGEST_PAUSE_MS)
    .default(0)
    .describe("How long to wait at each number"),
  approval: z
    .boolean()
    .default(false)
    .describe('Wait for POST …/events {"name":"approval"} before it ends, for an hour at most'),
  fail: z.boolean().default(false).describe("End as failed"),
});

export type SelfTestInput = z.output<typeof selfTestInput>;

export const selfTestResult = z.object({
  counted: z.number().int(),
  /** What came with the approval; null where there was none. */
  approved: z.json(),
});

/** A job that does nothing but show that jobs work here: for operators, and to try the API with. */
export const selfTest: JobType<SelfTestInput, z.output<typeof selfTestResult>> = {
  name: "self_test",
  summary:
    "Counts to a number and writes a file with the numbers, to see that jobs work: with pauses, an approval or a failure on request.",
  scope: "jobs",
  input: selfTestInput,
  result: selfTestResult,
};
