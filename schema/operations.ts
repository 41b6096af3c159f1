import {
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";

/** Each run of a schedule; one row for a schedule and a time, so that a second run for it does nothing. */
export const scheduleRuns = pgTable(
  "schedule_runs",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    /** The time it stands for; for a run by hand, the time it was asked for. */
    scheduledAt: moment("scheduled_at").notNull(),
    trigger: text("trigger", { enum: ["cron", "manual"] }).notNull(),
    state: text("state", { enum: ["queued", "running", "succeeded", "failed"] }).notNull(),
    /** Grows with each start, and fences: only the latest attempt may write how it ended. */
    attempts: integer("attempts").notNull().default(0),
    /** A run that has not ended by then is dead. */
    leaseUntil: moment("lease_until"),
    startedAt: moment("started_at"),
    endedAt: moment("ended_at"),
    /** What it did, as the schedule tells it. */
    result: jsonb("result").$type<Record<string, unknown>>(),
    error: text("error"),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("schedule_runs_name_time_unique").on(table.name, table.scheduledAt, table.trigger),
    index("schedule_runs_name_index").on(table.name, table.id),
    index("schedule_runs_state_index").on(table.state, table.createdAt),
  ],
);

/** Queue messages, or parts of them, that could not be used; kept for operators, and for nothing else. */
export const deadLetters = pgTable(
  "dead_letters",
  {
    /** Made from the content, so that a second delivery adds nothing. */
    id: text("id").primaryKey(),
    queue: text("queue").notNull(),
    reason: text("reason").notNull(),
    /** JSON, cut where it is very long. */
    body: text("body").notNull(),
    createdAt: createdAt(),
  },
  (table) => [index("dead_letters_created_at_index").on(table.createdAt)],
);

/** The last known health of each dependency, as the schedule saw it. */
export const healthChecks = pgTable("health_checks", {
  name: text("name").primaryKey(),
  status: text("status", { enum: ["ok", "failing", "not_configured"] }).notNull(),
  latencyMs: integer("latency_ms"),
  /** A sentence for operators; never a raw answer. */
  detail: text("detail"),
  checkedAt: moment("checked_at").notNull(),
});

/** Answers of requests that carried an Idempotency-Key, for 24 hours; written in the request's own transaction. */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    /** Who sent it: `key:key_…` or `super_admin`. */
    owner: text("owner").notNull(),
    key: text("key").notNull(),
    /** SHA-256 of method, path and body, hex. */
    requestHash: text("request_hash").notNull(),
    status: smallint("status").notNull(),
    /** The answer, encrypted under MASTER_KEY: it can hold a key that is shown once. */
    responseSealed: text("response_sealed").notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: "idempotency_keys_pkey", columns: [table.owner, table.key] }),
    index("idempotency_keys_created_at_index").on(table.createdAt),
  ],
);
