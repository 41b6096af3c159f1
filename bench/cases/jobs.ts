import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { z } from "zod";
import { bullmqJobs, type JobPlan, switchyardJobs } from "../jobs/job-plan.ts";
import type { PartyName } from "../parties/party.ts";
import type { Metrics } from "../rounds.ts";
import type { Bench, BenchCase } from "./case.ts";

const PLAN: JobPlan = { jobs: 1_000, teams: 10, large: 900, count: 3, capacity: 50 };

/** Many small jobs of which one team has most: whether the others wait for it, and how fast all are done beside BullMQ. */
export const jobs: BenchCase = {
  name: "jobs",
  title: `${PLAN.jobs} small jobs of ${PLAN.teams} teams, ${PLAN.large} of them one team's; beside BullMQ on the Redis at REDIS_URL`,
  byDefault: false,
  columns: [
    { key: "started_of_large", title: `of the ${PLAN.large} started`, digits: 0 },
    { key: "jobs_per_s", title: "jobs/s", digits: 1 },
    { key: "bullmq_jobs_per_s", title: "BullMQ jobs/s", digits: 0 },
    { key: "of_bullmq", title: "of BullMQ", digits: 3 },
  ],
  run,
};

async function run({ parties, progress }: Bench): Promise<Map<PartyName, Metrics>> {
  if (!parties.some(({ name }) => name === "switchyard")) return new Map();
  progress(`making and working ${PLAN.jobs} jobs`);
  const own = await measure("switchyard-jobs-process.ts", switchyardJobs);
  progress(
    `when the last job of the other ${PLAN.teams - 1} teams ended, ${own.startedOfLarge} of the ${PLAN.large} had started; all made in ${own.makingMs.toFixed(0)} ms, worked in ${own.ms.toFixed(0)} ms`,
  );
  const perSecond = PLAN.jobs / (own.ms / 1_000);
  const theirs = await measureBullmq(progress);
  return new Map([
    [
      "switchyard",
      {
        started_of_large: own.startedOfLarge,
        jobs_per_s: perSecond,
        bullmq_jobs_per_s: theirs,
        of_bullmq: perSecond / theirs,
      },
    ],
  ]);
}

/** Jobs per second; NaN where there is no Redis to ask. */
async function measureBullmq(progress: Bench["progress"]): Promise<number> {
  if ((process.env["REDIS_URL"] ?? "") === "") {
    progress("REDIS_URL is not set: BullMQ is skipped, and there is no ratio to it");
    return Number.NaN;
  }
  const { ms, makingMs, redis } = await measure("bullmq-process.ts", bullmqJobs);
  progress(
    `BullMQ on ${redis}: all made in ${makingMs.toFixed(0)} ms, worked in ${ms.toFixed(0)} ms`,
  );
  return PLAN.jobs / (ms / 1_000);
}

/** Runs one side in a process of its own, whose last line says how it went. */
async function measure<Found extends z.ZodType>(
  module: string,
  found: Found,
): Promise<z.output<Found>> {
  const file = fileURLToPath(new URL(`../jobs/${module}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file, JSON.stringify(PLAN)]);
  return found.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}
