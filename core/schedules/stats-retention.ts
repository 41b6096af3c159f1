import { purgeMinutes } from "../usage/stats/purge-minutes.ts";
import type { Schedule } from "./schedule.ts";

const HOUR_MS = 60 * 60 * 1000;
/** Hours that counts by the minute are kept. Statistics read the last one; the others are for who looks into the table. */
const KEPT_HOURS = 48;

/** Removes counts by the minute that are old enough. */
export const statsRetention: Schedule = {
  name: "stats_retention",
  description: `Removes the gateway's counts by the minute after ${KEPT_HOURS} hours.`,
  cadence: { cron: "33 * * * *", clock: "utc" },
  missed: "catch_up",
  leaseSeconds: 600,
  retries: 1,
  async run(context) {
    const before = new Date(context.now().getTime() - KEPT_HOURS * HOUR_MS);
    return { ...(await purgeMinutes(context, { before, deadline: context.deadline })) };
  },
};
