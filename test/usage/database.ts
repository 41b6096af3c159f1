import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { type Context, noSource, type TransactionContext } from "#core/kernel/context.ts";
import { createLogger } from "#core/kernel/log.ts";
import type { Principal } from "#core/kernel/principal.ts";
import type { ScheduleContext } from "#core/schedules/schedule.ts";
import type { TeamRecord } from "#core/usage/read-usage-message.ts";
import type { UsageRecord } from "#core/usage/usage-record.ts";
import * as schema from "#schema";
import { eventually } from "#test/harness/eventually.ts";
import { memoryFiles } from "#test/jobs/memory-files.ts";
import { createDatabase, type PostgresServer } from "#test/harness/postgres.ts";

/** A database of its own with contexts over it, for tests of what core says to Postgres. */
export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  context(options?: { principal?: Principal; now?: Date }): Context;
  /** Ends once a statement waits for another one's lock. */
  someoneWaits(): Promise<void>;
  drop(): Promise<void>;
}

export async function openTestDatabase(server: PostgresServer): Promise<TestDatabase> {
  const database = await createDatabase(server);
  const pool = new pg.Pool({ connectionString: database.url, max: 8 });
  // The database goes while the last connections are closing.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return {
    url: database.url,
    pool,
    context: (options = {}) => contextOver(pool, options),
    someoneWaits: () =>
      eventually(async () => {
        const { rowCount } = await pool.query(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        if (rowCount === 0) throw new Error("Nobody waits for a lock");
      }),
    async drop() {
      await pool.end();
      await database.drop();
    },
  };
}

function contextOver(
  pool: pg.Pool,
  { principal = { kind: "system", teamId: null }, now }: { principal?: Principal; now?: Date },
): Context {
  const db = drizzle(pool, { schema });
  const base = {
    principal,
    requestId: "req_test",
    source: noSource,
    log: createLogger("error", () => undefined),
    now: () => now ?? new Date(),
    secrets: { seal: refuse, open: refuse },
    epochs: { expectChange: () => Promise.resolve(), raise: () => Promise.resolve() },
    announce: () => Promise.resolve(),
    afterCommit: (action: () => Promise<void>) => action(),
  };
  return {
    ...base,
    db,
    transaction: (work) =>
      db.transaction((transaction) => {
        const inner: TransactionContext = {
          ...base,
          inTransaction: true,
          isUsed: () => true,
          db: transaction,
          transaction: (next) => next(inner),
        };
        return work(inner);
      }),
  };
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("These tests handle no secrets"));
}

/** What schedules are given, with dependencies that are fine and a queue that takes everything. */
export function scheduleContext(
  context: Context,
  over: Partial<ScheduleContext> = {},
): ScheduleContext {
  const fine = () => Promise.resolve({ status: "ok", latencyMs: 1 } as const);
  return {
    ...context,
    deadline: new Date(context.now().getTime() + 600_000),
    usageRetentionDays: 30,
    resultDays: 90,
    jobRetentionDays: 30,
    sessionIdleDays: 30,
    files: memoryFiles(),
    dependencies: { database: fine, cache: fine, ai_service: fine, telegram_api: fine },
    sendProbe: () => Promise.resolve(),
    retries: new Map(),
    sendRun: () => Promise.resolve(),
    sweepJobs: () =>
      Promise.resolve({ recovered: 0, sent: 0, woken: 0, cancelled: 0, admitted: 0 }),
    deliverCallbacks: () => Promise.resolve({ sent: 0, taken: 0 }),
    makeScheduledJobs: () => Promise.resolve({ made: 0, skipped: 0, refused: 0, stopped: 0 }),
    retellJobEnds: () => Promise.resolve(0),
    ...over,
  };
}

let made = 0;

/** A usage record that differs from every other one. */
export function makeRecord(over: Partial<UsageRecord> = {}): UsageRecord {
  made++;
  return {
    id: `req_${String(made).padStart(8, "0")}_${crypto.randomUUID()}`,
    attempt: 1,
    at: Date.UTC(2026, 10, 20, 10, 30),
    keyId: "key_a",
    sessionId: null,
    endUser: null,
    model: "model-a",
    provider: "test",
    status: 200,
    errorCode: null,
    inputTokens: 10,
    outputTokens: 5,
    estimated: false,
    costMicros: 7,
    latencyMs: 100,
    firstTokenMs: 20,
    cached: false,
    ...over,
  };
}

export function of(teamId: string, ...records: UsageRecord[]): TeamRecord[] {
  return records.map((record) => ({ teamId, record }));
}
