import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
} from "drizzle-orm/pg-core";
import { moment } from "./columns.ts";

/**
 * One row a model request. Partitioned by month on `at` (its migration says so; drizzle cannot), so that old months
 * are dropped, not deleted. A record's `at` never changes, so the primary key makes a second delivery do nothing.
 */
export const usageRecords = pgTable(
  "usage_records",
  {
    /** Our own `req_` id. */
    id: text("id").notNull(),
    attempt: smallint("attempt").notNull(),
    /** When the request came in. */
    at: moment("at").notNull(),
    teamId: text("team_id").notNull(),
    keyId: text("key_id"),
    sessionId: text("session_id"),
    endUser: text("end_user"),
    /** The model's name as the client gave it, cut at 200 characters. */
    model: text("model").notNull(),
    /** Null where no provider was called. */
    provider: text("provider"),
    /** The HTTP status that the client got; 499 where it hung up, 502 where a stream was cut. */
    status: smallint("status").notNull(),
    errorCode: text("error_code"),
    inputTokens: integer("input_tokens").notNull(),
    outputTokens: integer("output_tokens").notNull(),
    /** The parts of the input that the provider had in its own cache, and put there. */
    cachedInputTokens: integer("cached_input_tokens").notNull().default(0),
    cacheWriteTokens: integer("cache_write_tokens").notNull().default(0),
    estimated: boolean("estimated").notNull(),
    costMicros: bigint("cost_micros", { mode: "number" }).notNull(),
    latencyMs: integer("latency_ms").notNull(),
    firstTokenMs: integer("first_token_ms"),
    /** The response cache had the answer: no provider was called, and nothing is charged. */
    cached: boolean("cached").notNull().default(false),
    /** The response cache was asked, and had no answer. */
    cacheMissed: boolean("cache_missed").notNull().default(false),
    /** What the team's guard rails did, as in `output_masked`; null where that is nothing. */
    guardRails: text("guard_rails").array(),
    /** Of a request that a limit refused: the limit's unit and window, as in `tokens/minute`. */
    refusedBy: text("refused_by"),
  },
  (table) => [
    primaryKey({ name: "usage_records_pkey", columns: [table.at, table.id, table.attempt] }),
    index("usage_records_team_at_index").on(table.teamId, table.at, table.id),
  ],
);

/** Sums by hour, made from usage_records. A row stands for one combination of its dimensions; null is kept as ''. */
export const usageHourly = pgTable(
  "usage_hourly",
  {
    teamId: text("team_id").notNull(),
    hour: moment("hour").notNull(),
    keyId: text("key_id").notNull(),
    sessionId: text("session_id").notNull(),
    endUser: text("end_user").notNull(),
    model: text("model").notNull(),
    requests: bigint("requests", { mode: "number" }).notNull(),
    errors: bigint("errors", { mode: "number" }).notNull(),
    inputTokens: bigint("input_tokens", { mode: "number" }).notNull(),
    outputTokens: bigint("output_tokens", { mode: "number" }).notNull(),
    costMicros: bigint("cost_micros", { mode: "number" }).notNull(),
    cached: bigint("cached", { mode: "number" }).notNull().default(0),
    cacheMisses: bigint("cache_misses", { mode: "number" }).notNull().default(0),
    cachedInputTokens: bigint("cached_input_tokens", { mode: "number" }).notNull().default(0),
    cacheWriteTokens: bigint("cache_write_tokens", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    primaryKey({
      name: "usage_hourly_pkey",
      columns: [table.teamId, table.hour, table.keyId, table.sessionId, table.endUser, table.model],
    }),
    index("usage_hourly_hour_index").on(table.hour),
  ],
);

/**
 * What came in within a minute, for statistics of the last hour: added to in the statement that inserts the records, so
 * that each record counts once. A row stands for one combination of its dimensions; null is kept as ''.
 */
export const usageMinutes = pgTable(
  "usage_minutes",
  {
    /** '' is all teams together, so that totals need not read every team's rows. */
    teamId: text("team_id").notNull(),
    /** In which the requests came in, whenever they ended. */
    minute: moment("minute").notNull(),
    /** '' where the request named no model that it could use, so that made-up names make no rows. */
    model: text("model").notNull(),
    provider: text("provider").notNull(),
    status: smallint("status").notNull(),
    errorCode: text("error_code").notNull(),
    refusedBy: text("refused_by").notNull(),
    /** Rows of all teams together are kept in several parts, so that consumers seldom wait for each other; 0 for a team. */
    part: smallint("part").notNull(),
    requests: bigint("requests", { mode: "number" }).notNull(),
    cached: bigint("cached", { mode: "number" }).notNull(),
    cacheMisses: bigint("cache_misses", { mode: "number" }).notNull(),
    /** Requests to which guard rails did something; one may be in several. */
    inputDenied: bigint("input_denied", { mode: "number" }).notNull().default(0),
    inputMasked: bigint("input_masked", { mode: "number" }).notNull().default(0),
    outputDenied: bigint("output_denied", { mode: "number" }).notNull().default(0),
    outputMasked: bigint("output_masked", { mode: "number" }).notNull().default(0),
    /** How many requests took how long: `{"105": 3}` is three from 105 ms up to the next bucket's beginning. */
    latency: jsonb("latency").notNull(),
    /** The same of the time until a stream's first token; empty where there was none. */
    firstToken: jsonb("first_token").notNull(),
  },
  (table) => [
    primaryKey({
      name: "usage_minutes_pkey",
      columns: [
        table.teamId,
        table.minute,
        table.model,
        table.provider,
        table.status,
        table.errorCode,
        table.refusedBy,
        table.part,
      ],
    }),
    index("usage_minutes_minute_index").on(table.minute),
  ],
);

/** Hours of a team whose sums do not yet include all of their records. Written with the records, removed with the sums. */
export const usageDirtyHours = pgTable(
  "usage_dirty_hours",
  {
    teamId: text("team_id").notNull(),
    hour: moment("hour").notNull(),
  },
  (table) => [
    primaryKey({ name: "usage_dirty_hours_pkey", columns: [table.teamId, table.hour] }),
    index("usage_dirty_hours_hour_index").on(table.hour),
  ],
);

/**
 * One row: hours before `closedBefore` are closed. Their sums are final, their single records are gone or going, and
 * what arrives for them is set aside in dead_letters. The consumer holds the row shared while it inserts, so that no
 * hour closes under it.
 */
export const usageBooks = pgTable(
  "usage_books",
  {
    only: boolean("only").primaryKey().default(true),
    closedBefore: moment("closed_before").notNull(),
  },
  (table) => [check("usage_books_one_row", sql`${table.only}`)],
);
