import { closeBooks } from "../usage/close-books.ts";
import { makePartitions } from "../usage/make-partitions.ts";
import { purgeClosedRecords } from "../usage/purge-closed-records.ts";
import { rollUpHours } from "../usage/roll-up-hours.ts";
import type { Schedule } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Removes single usage records that are old enough; their hourly sums stay. */
export const usageRetention: Schedule = {
  name: "usage_retention",
  description:
    "Makes room for the coming months' usage records and removes those older than USAGE_RETENTION_DAYS; their sums stay.",
  cadence: { cron: "17 4 * * *", clock: "local" },
  missed: "catch_up",
  leaseSeconds: 840,
  retries: 1,
  async run(context) {
    const made = await makePartitions(context);
    const oldest = new Date(context.now().getTime() - context.usageRetentionDays * DAY_MS);
    const rolledUp = await rollUpHours(context, { before: oldest, deadline: context.deadline });
    const closedBefore = await closeBooks(context, oldest);
    const purged = await purgeClosedRecords(context, context.deadline);
    return {
      partitions_made: made ?? 0,
      hours_rolled_up: rolledUp.hours,
      closed_before: closedBefore.toISOString(),
      partitions_dropped: purged.partitions,
      records_deleted: purged.rows,
      more: made === null || purged.more || rolledUp.more,
    };
  },
};
