import { sql } from "drizzle-orm";
import { index, integer, json, pgTable, primaryKey, smallint, text } from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/** What becomes of times at which nothing could be made: the last one is made up for, or all are let go. */
export const MISSED_TIMES = ["once", "skip"] as const;

/** What happens when the job before has not ended: this time is left out, both run, or the one before is cancelled. */
export const OVERLAPS = ["skip", "allow", "replace"] as const;

/** Jobs that a team has made again and again by the clock. */
export const jobSchedules = pgTable(
  "job_schedules",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** Five fields. */
    cron: text("cron").notNull(),
    /** An IANA name. */
    timeZone: text("time_zone").notNull(),
    type: text("type").notNull(),
    input: json("input").$type<unknown>().notNull(),
    /** As in `jobs`. */
    priority: smallint("priority").notNull().default(0),
    callbackUrl: text("callback_url"),
    missed: text("missed", { enum: MISSED_TIMES }).notNull(),
    overlap: text("overlap", { enum: OVERLAPS }).notNull(),
    /** The next time; null while it is paused or stopped. */
    nextAt: moment("next_at"),
    pausedAt: moment("paused_at"),
    /** Stopped by itself, with the reason: whoever it acted for may do nothing any more, say. */
    stoppedAt: moment("stopped_at"),
    stoppedReason: text("stopped_reason"),
    /** Whoever made, changed or resumed it last, and what they were allowed then: its jobs act with that. */
    createdBy: text("created_by").notNull(),
    scopes: text("scopes").array().notNull(),
    models: text("models").array().notNull(),
    endUser: text("end_user"),
    createdAt: createdAt(),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [
    index("job_schedules_team_index").on(table.teamId, table.id),
    index("job_schedules_next_index")
      .on(table.nextAt)
      .where(sql`${table.nextAt} IS NOT NULL`),
  ],
);

/** What came of each time of a schedule; one row for a schedule and a time, so that a second tick makes nothing. */
export const jobScheduleRuns = pgTable(
  "job_schedule_runs",
  {
    scheduleId: text("schedule_id")
      .notNull()
      .references(() => jobSchedules.id, { onDelete: "cascade" }),
    /** The time it stands for; for a run by hand, when it was asked for. */
    scheduledAt: moment("scheduled_at").notNull(),
    trigger: text("trigger", { enum: ["clock", "manual"] }).notNull(),
    outcome: text("outcome", { enum: ["made", "skipped", "refused"] }).notNull(),
    /** Why no job was made. */
    reason: text("reason"),
    /** The job, which may be gone by now. */
    jobId: text("job_id"),
    /** Times before this one that were let go. */
    missedTimes: integer("missed_times").notNull().default(0),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({
      name: "job_schedule_runs_pkey",
      columns: [table.scheduleId, table.scheduledAt, table.trigger],
    }),
    index("job_schedule_runs_created_at_index").on(table.createdAt),
  ],
);
