import { sql } from "drizzle-orm";
import { z } from "zod";
import { rowsOf } from "../kernel/sql-rows.ts";
import { withLockTimeout } from "../usage/lock-timeout.ts";
import type { Schedule } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days that entries of the audit log are kept at least; they go by whole months. */
const AUDIT_DAYS = 730;
/** Months that have a partition before they begin. */
const MONTHS_AHEAD = 3;

const result = z.object({ made: z.coerce.number(), dropped: z.coerce.number() });

/** Makes room for the coming months of the audit log, and drops the months that are old enough. */
export const auditRetention: Schedule = {
  name: "audit_retention",
  description: `Makes room for the coming months of the audit log and drops months that ended ${AUDIT_DAYS} days ago.`,
  cadence: { cron: "27 4 * * *", clock: "local" },
  missed: "catch_up",
  leaseSeconds: 120,
  retries: 1,
  async run(context) {
    const now = context.now();
    const oldest = new Date(now.getTime() - AUDIT_DAYS * DAY_MS).toISOString();
    const done = await withLockTimeout(context, "audit_partitions_busy", async ({ db }) =>
      rowsOf(
        result,
        await db.execute(
          sql`SELECT ensure_audit_partitions(${now.toISOString()}::timestamptz, ${MONTHS_AHEAD}::integer) AS made,
                     drop_audit_partitions(${oldest}::timestamptz) AS dropped`,
        ),
      ),
    );
    return { partitions_made: done?.[0]?.made ?? 0, partitions_dropped: done?.[0]?.dropped ?? 0 };
  },
};
