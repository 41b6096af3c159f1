import type { Schedule } from "./schedule.ts";

/** Sends the callbacks of jobs that are due: those whose first try was lost, and those that failed before. */
export const deliverCallbacks: Schedule = {
  name: "deliver_callbacks",
  description: "Sends callbacks of jobs that are due, again where they failed before.",
  cadence: { cron: "* * * * *", clock: "utc" },
  missed: "skip",
  leaseSeconds: 120,
  retries: 0,
  run: async (context) => ({ ...(await context.deliverCallbacks(context.deadline)) }),
};
