import { sql } from "drizzle-orm";
import { z } from "zod";
import { rowsOf } from "../kernel/sql-rows.ts";
import { closeBooks } from "../usage/close-books.ts";
import { purgeClosedRecords } from "../usage/purge-closed-records.ts";
import { rollUpHours } from "../usage/roll-up-hours.ts";
import type { Schedule } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Months that have a partition before they begin. */
const MONTHS_AHEAD = 3;

const partitions = z.object({ made: z.coerce.number() });

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
    const made = await context.db.execute(
      sql`SELECT ensure_usage_partitions(${context.now().toISOString()}::timestamptz, ${MONTHS_AHEAD}::integer) AS made`,
    );
    const oldest = new Date(context.now().getTime() - context.usageRetentionDays * DAY_MS);
    const rolledUp = await rollUpHours(context, { before: oldest, deadline: context.deadline });
    const closedBefore = await closeBooks(context, oldest);
    const purged = await purgeClosedRecords(context, context.deadline);
    return {
      partitions_made: rowsOf(partitions, made)[0]?.made ?? 0,
      hours_rolled_up: rolledUp.hours,
      closed_before: closedBefore.toISOString(),
      partitions_dropped: purged.partitions,
      records_deleted: purged.rows,
      more: purged.more || rolledUp.more,
    };
  },
};
