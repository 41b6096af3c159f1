import { removeOldJobs } from "../jobs/remove-old-jobs.ts";
import type { Schedule } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Removes what nobody looks at any more of jobs that ended long ago. */
export const jobRetention: Schedule = {
  name: "job_retention",
  description:
    "Removes jobs that ended JOB_RETENTION_DAYS ago, with their steps, logs and callbacks, once their files have gone.",
  cadence: { cron: "*/10 * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 540,
  retries: 1,
  async run(context) {
    const before = new Date(context.now().getTime() - context.jobRetentionDays * DAY_MS);
    const { files, deadline } = context;
    const { jobs, more } = await removeOldJobs(context, { files, before, deadline });
    return { jobs_deleted: jobs, before: before.toISOString(), more };
  },
};
