import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  index,
  integer,
  json,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { createdAt, moment } from "./columns.ts";
import { teams } from "./teams.ts";

/** What a job can be. The last three are endings, from which only a retry by hand leads back. */
export const JOB_STATES = [
  "queued",
  "scheduled",
  "running",
  "retrying",
  "succeeded",
  "failed",
  "cancelled",
] as const;

/** What a step can be made of. */
export const JOB_STEP_KINDS = [
  "run",
  "transaction",
  "chunks",
  "sleep",
  "event",
  "children",
] as const;

/**
 * A job. Its row is also its outbox: a job that waits is found by the dispatcher, and `message_due_at` says when the
 * message of one that was let in has to be sent again. `json` in place of `jsonb` keeps what programs give to the letter.
 */
export const jobs = pgTable(
  "jobs",
  {
    id: text("id").primaryKey(),
    teamId: text("team_id")
      .notNull()
      .references(() => teams.id, { onDelete: "cascade" }),
    type: text("type").notNull(),
    /** Of the program that it began with; null until it begins. */
    version: integer("version"),
    input: json("input").$type<unknown>().notNull(),
    /** Whoever made it: `key:…`, `member:…` and so on, and what they were allowed then. */
    createdBy: text("created_by").notNull(),
    scopes: text("scopes").array().notNull(),
    models: text("models").array().notNull(),
    endUser: text("end_user"),
    idempotencyKey: text("idempotency_key"),
    /** SHA-256 of type and input, hex: tells whether the same key came with the same request. */
    requestHash: text("request_hash").notNull(),
    /** -1 is low, 0 normal, 1 high. */
    priority: smallint("priority").notNull().default(0),
    /** Where the end is told; core/jobs never calls it. */
    callbackUrl: text("callback_url"),
    /** The job whose step made it, and which of that step's children it is. */
    parentId: text("parent_id"),
    parentStep: text("parent_step"),
    childIndex: integer("child_index"),

    state: text("state", { enum: JOB_STATES }).notNull(),
    /** `capacity`, `rate`, `run_at`, `retry`, `sleep`, `event:<name>` or `children`; null while it waits for nothing. */
    waitingFor: text("waiting_for"),
    /** When a job that waits for a time is queued. */
    dueAt: moment("due_at"),
    /** Since when it could be let in. */
    queuedAt: moment("queued_at").notNull().defaultNow(),
    /** Whether it holds a part of the capacity: from being let in until it ends or waits. */
    slot: boolean("slot").notNull().default(false),
    /** Grows with each job that is let in; the team whose newest is oldest was served longest ago. */
    admission: bigint("admission", { mode: "number" }),
    /** When its message has to be sent again, should nobody have claimed it by then. */
    messageDueAt: moment("message_due_at"),
    /** Grows with each claim and whatever ends one: only who has the latest may write. */
    fence: integer("fence").notNull().default(0),
    /** The process that works must prolong it; null while nobody works. */
    leaseUntil: moment("lease_until"),
    cancelRequestedAt: moment("cancel_requested_at"),

    /** Attempts so far. */
    attempt: integer("attempt").notNull().default(0),
    /** Whether the latest attempt goes on: pauses and hand-overs do not end it. */
    inAttempt: boolean("in_attempt").notNull().default(false),
    /** Whether the latest attempt has committed something. */
    progressed: boolean("progressed").notNull().default(false),
    /** Attempts in a row that failed without having committed anything before. */
    failures: integer("failures").notNull().default(0),
    /** Rows in job_steps, which is the number of the next step. */
    steps: integer("steps").notNull().default(0),
    /** What it does right now, as far as that was written. */
    currentStep: text("current_step"),
    /** Lines of its log so far; the oldest ones go. */
    logLines: integer("log_lines").notNull().default(0),
    progressDone: bigint("progress_done", { mode: "number" }).notNull().default(0),
    progressTotal: bigint("progress_total", { mode: "number" }),
    progressMessage: text("progress_message").notNull().default(""),

    result: json("result").$type<unknown>(),
    errorCode: text("error_code"),
    /** For the team: a sentence of ours or of the program, never of what it met. */
    errorMessage: text("error_message"),
    createdAt: createdAt(),
    /** When it was first claimed. */
    startedAt: moment("started_at"),
    finishedAt: moment("finished_at"),
    updatedAt: moment("updated_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("jobs_idempotency_key_unique").on(table.teamId, table.idempotencyKey),
    uniqueIndex("jobs_child_unique").on(table.parentId, table.parentStep, table.childIndex),
    index("jobs_team_index").on(table.teamId, table.id),
    index("jobs_team_state_index").on(table.teamId, table.state, table.id),
    index("jobs_state_index").on(table.state, table.id),
    index("jobs_queue_index")
      .on(table.teamId, table.type, table.priority.desc().nullsFirst(), table.queuedAt, table.id)
      .where(sql`${table.state} = 'queued' AND NOT ${table.slot}`),
    index("jobs_slot_index")
      .on(table.teamId, table.type)
      .where(sql`${table.slot}`),
    index("jobs_due_index")
      .on(table.dueAt)
      .where(sql`${table.state} IN ('scheduled', 'retrying')`),
    index("jobs_admission_index").on(table.teamId, table.admission),
    index("jobs_finished_index").on(table.finishedAt),
  ],
);

/** Numbers of `jobs.admission`. */
export const jobAdmissions = pgSequence("job_admissions");

/** Grows with each wish to dispatch, outside of transactions: a dispatcher that was at work sees that it must look again. */
export const jobDispatchWishes = pgSequence("job_dispatch_wishes");

/** What a job has done, step by step, in the order in which its program asks. It is never changed once it is done. */
export const jobSteps = pgTable(
  "job_steps",
  {
    jobId: text("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    /** From 0. */
    position: integer("position").notNull(),
    name: text("name").notNull(),
    kind: text("kind", { enum: JOB_STEP_KINDS }).notNull(),
    /** `failed`: the program caught what the step threw and went on. */
    state: text("state", { enum: ["open", "done", "failed"] }).notNull(),
    /** What the step gave, or the state after the latest chunk; of a failed one, the error's message. */
    kept: json("kept").$type<unknown>(),
    /** Chunks that are committed, or how many children there are. */
    count: integer("count").notNull().default(0),
    /** When a sleep ends, or the wait for an event. */
    wakeAt: moment("wake_at"),
    /** Which attempt ended it. */
    attempt: integer("attempt").notNull(),
    startedAt: moment("started_at").notNull(),
    finishedAt: moment("finished_at"),
  },
  (table) => [
    primaryKey({ name: "job_steps_pkey", columns: [table.jobId, table.position] }),
    uniqueIndex("job_steps_name_unique").on(table.jobId, table.name),
  ],
);

/** Attempts at a job, with how each ended. */
export const jobAttempts = pgTable(
  "job_attempts",
  {
    jobId: text("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    /** From 1. */
    number: integer("number").notNull(),
    /** Null while it goes on. `crashed`: its process was gone without a word. */
    outcome: text("outcome", { enum: ["succeeded", "failed", "crashed", "cancelled"] }),
    errorCode: text("error_code"),
    errorMessage: text("error_message"),
    startedAt: moment("started_at").notNull(),
    endedAt: moment("ended_at"),
  },
  (table) => [primaryKey({ name: "job_attempts_pkey", columns: [table.jobId, table.number] })],
);

/** What a job told its users, the newest lines only. */
export const jobLogLines = pgTable(
  "job_log_lines",
  {
    jobId: text("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    /** From 1. */
    number: integer("number").notNull(),
    attempt: integer("attempt").notNull(),
    message: text("message").notNull(),
    at: moment("at").notNull(),
  },
  (table) => [primaryKey({ name: "job_log_lines_pkey", columns: [table.jobId, table.number] })],
);

/** Files that a job has made. */
export const jobResults = pgTable(
  "job_results",
  {
    jobId: text("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** Where the file store has it. */
    fileKey: text("file_key").notNull(),
    /** Bytes. */
    size: bigint("size", { mode: "number" }).notNull(),
    contentType: text("content_type").notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ name: "job_results_pkey", columns: [table.jobId, table.name] })],
);

/** Events that were sent to a job. They are kept until a step takes them, also when none waits yet. */
export const jobEvents = pgTable(
  "job_events",
  {
    /** The sender's own id, or one of ours: the same again adds nothing. */
    id: text("id").notNull(),
    jobId: text("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    /** From 1; the first one comes first. */
    number: integer("number").notNull(),
    name: text("name").notNull(),
    payload: json("payload").$type<unknown>(),
    sentBy: text("sent_by").notNull(),
    /** The position of the step that took it. */
    takenBy: integer("taken_by"),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: "job_events_pkey", columns: [table.jobId, table.id] }),
    uniqueIndex("job_events_number_unique").on(table.jobId, table.number),
  ],
);

/** Starts of jobs whose type has a rate, for as long as they count. */
export const jobStarts = pgTable(
  "job_starts",
  {
    /** The job's, with the attempt that was started. */
    jobId: text("job_id").notNull(),
    attempt: integer("attempt").notNull(),
    type: text("type").notNull(),
    teamId: text("team_id").notNull(),
    at: moment("at").notNull(),
  },
  (table) => [
    primaryKey({ name: "job_starts_pkey", columns: [table.jobId, table.attempt] }),
    index("job_starts_type_index").on(table.type, table.at),
  ],
);

/** Ends of jobs that have to be told to a callback; written with the end itself, so that none is forgotten. */
export const jobCallbacks = pgTable(
  "job_callbacks",
  {
    /** The message's id, the same in each delivery of it. */
    id: text("id").primaryKey(),
    jobId: text("job_id")
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    teamId: text("team_id").notNull(),
    url: text("url").notNull(),
    /** `job.succeeded`, `job.failed` or `job.cancelled`. */
    event: text("event").notNull(),
    /** What is sent, to the letter, made before it is first sent: the same in each delivery. */
    payload: text("payload"),
    state: text("state", { enum: ["pending", "delivered", "failed"] })
      .notNull()
      .default("pending"),
    attempts: integer("attempts").notNull().default(0),
    /** How many of them were before it was asked for again by hand. */
    triesBefore: integer("tries_before").notNull().default(0),
    /** When it is to be sent, or sent again. */
    dueAt: moment("due_at").notNull().defaultNow(),
    /** What came back, for the team: `[{"at","status","error","duration_ms"}]`, the newest last. */
    log: jsonb("log").$type<Record<string, unknown>[]>().notNull().default([]),
    deliveredAt: moment("delivered_at"),
    createdAt: createdAt(),
  },
  (table) => [
    index("job_callbacks_due_index")
      .on(table.dueAt)
      .where(sql`${table.state} = 'pending'`),
    index("job_callbacks_job_index").on(table.jobId),
  ],
);

/** One row: how long jobs wait that only lack capacity, as the dispatcher last saw it. */
export const jobPressure = pgTable("job_pressure", {
  only: boolean("only").primaryKey().default(true),
  /** Since when the first of them waits; null when none does. */
  oldestQueuedAt: moment("oldest_queued_at"),
  /** When a message was last arranged that lets in what a rate holds back. */
  wakeAt: moment("wake_at"),
  checkedAt: moment("checked_at").notNull().defaultNow(),
});
