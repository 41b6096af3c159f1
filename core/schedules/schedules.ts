import { AppError } from "../kernel/errors.ts";
import { auditRetention } from "./audit-retention.ts";
import { cleanupOldReports } from "./cleanup-old-reports.ts";
import { eraseDeletedTeams } from "./erase-deleted-teams.ts";
import { expireFiles } from "./expire-files.ts";
import { deliverCallbacks } from "./deliver-callbacks.ts";
import { expireKeys } from "./expire-keys.ts";
import { expireSessions } from "./expire-sessions.ts";
import { healthCheck } from "./health-check.ts";
import { jobRetention } from "./job-retention.ts";
import { makeScheduledJobs } from "./make-scheduled-jobs.ts";
import { operationsRetention } from "./operations-retention.ts";
import { refreshBenchmarks } from "./refresh-benchmarks.ts";
import { resendQueuedRuns } from "./resend-queued-runs.ts";
import { retellJobEnds } from "./retell-job-ends.ts";
import { rollUpUsage } from "./roll-up-usage.ts";
import type { Schedule } from "./schedule.ts";
import { statsRetention } from "./stats-retention.ts";
import { sweepJobs } from "./sweep-jobs.ts";
import { usageRetention } from "./usage-retention.ts";

/** Every schedule. A new one is a file and a line here. */
export const SCHEDULES: readonly Schedule[] = [
  healthCheck,
  resendQueuedRuns,
  sweepJobs,
  makeScheduledJobs,
  deliverCallbacks,
  retellJobEnds,
  rollUpUsage,
  usageRetention,
  statsRetention,
  auditRetention,
  expireKeys,
  operationsRetention,
  refreshBenchmarks,
  cleanupOldReports,
  expireFiles,
  expireSessions,
  jobRetention,
  eraseDeletedTeams,
];

/** The schedule of this name, or null. */
export function findSchedule(name: string): Schedule | null {
  return SCHEDULES.find((schedule) => schedule.name === name) ?? null;
}

/**
 * The schedule of this name.
 * @throws AppError `not_found`, with the names there are
 */
export function scheduleNamed(name: string): Schedule {
  const schedule = findSchedule(name);
  if (schedule) return schedule;
  const names = SCHEDULES.map((known) => known.name).join(", ");
  throw new AppError("not_found", {
    message: `There is no schedule of this name. There are: ${names}.`,
  });
}
