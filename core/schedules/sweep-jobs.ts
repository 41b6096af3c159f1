import type { Schedule } from "./schedule.ts";

/** Stuck jobs; see core/jobs/engine/sweep-jobs.ts. */
export const sweepJobs: Schedule = {
  name: "sweep_jobs",
  description:
    "Goes on with jobs whose process died or whose message was lost, and lets in those whose time has come.",
  cadence: { cron: "* * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 120,
  retries: 0,
  run: async (context) => ({ ...(await context.sweepJobs()) }),
};
