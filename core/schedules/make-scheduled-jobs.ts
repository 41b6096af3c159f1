import type { Schedule } from "./schedule.ts";

/** Makes the jobs of teams' own schedules, and tells ends of jobs that may not have been told. */
export const makeScheduledJobs: Schedule = {
  name: "make_scheduled_jobs",
  description: "Makes the recurring jobs of teams whose time has come.",
  cadence: { cron: "* * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 120,
  retries: 0,
  run: async (context) => ({ ...(await context.makeScheduledJobs(context.deadline)) }),
};
