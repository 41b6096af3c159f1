import { expireResults } from "../jobs/results/expire-results.ts";
import type { Schedule } from "./schedule.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Removes reports and other files that jobs made long ago. */
export const cleanupOldReports: Schedule = {
  name: "cleanup_old_reports",
  description: "Removes reports and other files of jobs that are older than RESULT_DAYS.",
  cadence: { cron: "0 2 * * *", clock: "local" },
  missed: "catch_up",
  leaseSeconds: 840,
  retries: 1,
  async run(context) {
    const before = new Date(context.now().getTime() - context.resultDays * DAY_MS);
    const { files, more } = await expireResults(context, {
      files: context.files,
      before,
      deadline: context.deadline,
    });
    return { files_deleted: files, before: before.toISOString(), more };
  },
};
