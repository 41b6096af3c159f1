import type { Schedule } from "./schedule.ts";

/** Tells watchers the ends of jobs again, in case a process died before it could. */
export const retellJobEnds: Schedule = {
  name: "retell_job_ends",
  description: "Tells whoever watches jobs of those that have ended in the last minutes.",
  cadence: { cron: "* * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 60,
  retries: 0,
  run: async (context) => ({ ends: await context.retellJobEnds() }),
};
