import { z } from "zod";

/** What is worked in the case `jobs`, by whoever works it. */
export const jobPlan = z.object({
  jobs: z.number().int(),
  teams: z.number().int().min(2),
  /** How many of the jobs are those of one team. The others share the rest. */
  large: z.number().int(),
  /** How far each job counts; every number is written before the next one. */
  count: z.number().int(),
  /** How many are worked at once. */
  capacity: z.number().int(),
});

export type JobPlan = z.output<typeof jobPlan>;

export const switchyardJobs = z.object({
  /** From when the jobs may run to the end of the last one, in milliseconds. */
  ms: z.number(),
  /** Jobs of the large team that had started when the last job of the others ended. */
  startedOfLarge: z.number(),
  /** Making the jobs over HTTP before, in milliseconds. */
  makingMs: z.number(),
});

export const bullmqJobs = z.object({
  ms: z.number(),
  makingMs: z.number(),
  /** What Redis promises to keep, in its own words. */
  redis: z.string(),
});

/** The plan that a process of the bench was started with. */
export function planOfProcess(): JobPlan {
  return jobPlan.parse(JSON.parse(process.argv[2] ?? "null"));
}
