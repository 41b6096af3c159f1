import { rollUpHours } from "../usage/roll-up-hours.ts";
import type { Schedule } from "./schedule.ts";

const HOUR_MS = 60 * 60 * 1000;

/** Makes sums of the hours that are over. */
export const rollUpUsage: Schedule = {
  name: "roll_up_usage",
  description: "Sums up the usage of the hours that are over.",
  cadence: { cron: "3 * * * *", clock: "utc" },
  missed: "catch_up",
  leaseSeconds: 600,
  retries: 2,
  async run(context) {
    const before = new Date(Math.floor(context.now().getTime() / HOUR_MS) * HOUR_MS);
    return { ...(await rollUpHours(context, { before, deadline: context.deadline })) };
  },
};
