import { drizzle } from "drizzle-orm/node-postgres";
import type pg from "pg";
import type { JobEvent } from "#core/jobs/job-feed.ts";
import { createJob, type CreateJobInput } from "#core/jobs/create-job.ts";
import { dispatchJobs } from "#core/jobs/dispatch/dispatch-jobs.ts";
import { type JobEngine, typesOf } from "#core/jobs/engine/job-engine.ts";
import { sweepJobs } from "#core/jobs/engine/sweep-jobs.ts";
import { workJob } from "#core/jobs/engine/work-job.ts";
import { getJob } from "#core/jobs/get-job.ts";
import type { JobDesk } from "#core/jobs/job-ports.ts";
import type { JobSettings } from "#core/jobs/job-settings.ts";
import type { JobPorts, JobProgram, Json } from "#core/jobs/job-type.ts";
import { type Context, noSource, type TransactionContext } from "#core/kernel/context.ts";
import { newId } from "#core/kernel/ids.ts";
import { createLogger } from "#core/kernel/log.ts";
import type { Principal } from "#core/kernel/principal.ts";
import type { TelegramFile, TelegramFiles } from "#core/telegram/telegram-files.ts";
import * as schema from "#schema";
import type { PostgresServer } from "#test/harness/postgres.ts";
import { reportFonts } from "#test/reports/report-fonts.ts";
import { openTestDatabase, type TestDatabase } from "#test/usage/database.ts";
import { memoryFiles, type MemoryFiles } from "./memory-files.ts";

/** What a process of the cron Worker does that others see: a commit, a statement by itself, a message. */
export type Boundary = { what: "commit" | "statement" | "message"; text: string };

export class Killed extends Error {
  override readonly name = "Killed";
}

/** A process that works jobs, and that dies where it is told to: nothing that it does afterwards has any effect. */
export interface Process {
  engine: JobEngine;
  /** Everything so far at which it could have died. */
  boundaries: Boundary[];
  readonly dead: boolean;
  /** Kills it now. */
  kill(): void;
  work(jobId: string): Promise<void>;
  sweep(): Promise<void>;
}

export interface ProcessOptions {
  /** Asked before and after each boundary; true kills the process there. */
  killsAt?: (boundary: Boundary, index: number, when: "before" | "after") => boolean;
  programs?: readonly JobProgram[];
  settings?: Partial<JobSettings>;
}

/** Jobs over a real Postgres, a queue that is a list, and processes that can be killed anywhere. */
export class JobWorld {
  readonly database: TestDatabase;
  readonly files: MemoryFiles = memoryFiles();
  /** Reads VINs in jobs; a test of those puts its own here. */
  skills: JobPorts["skills"] = { use: () => Promise.reject(new Error("No skills here")) };
  vins: JobPorts["vins"] = { readRows: () => Promise.reject(new Error("No VINs here")) };
  readonly messages: string[] = [];
  readonly delayed: { jobId: string; seconds: number }[] = [];
  readonly events: JobEvent[] = [];
  /** What chats were given, each once. */
  readonly telegramFiles = new Map<string, TelegramFile & { chatId: number }>();
  readonly telegram: TelegramFiles = {
    sendFile: async (chatId, file) => {
      if (this.telegramFiles.has(file.key)) return "known";
      this.telegramFiles.set(file.key, { ...file, chatId });
      return "taken";
    },
  };
  readonly programs: readonly JobProgram[];
  settings: JobSettings = {
    capacity: 50,
    teamCapacity: 50,
    leaseSeconds: 60,
    sliceSeconds: 300,
    stepSeconds: 600,
    queueAgeLimitSeconds: 300,
  };

  private constructor(database: TestDatabase, programs: readonly JobProgram[]) {
    this.database = database;
    this.programs = programs;
  }

  static async open(server: PostgresServer, programs: readonly JobProgram[]): Promise<JobWorld> {
    const database = await openTestDatabase(server);
    await database.pool.query("CREATE TABLE effects (job_id text, what text)");
    return new JobWorld(database, programs);
  }

  async sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    return (await this.database.pool.query<Row>(text, values)).rows;
  }

  async team(): Promise<string> {
    const id = newId("team");
    await this.sql("INSERT INTO teams (id, name) VALUES ($1, 'A team')", [id]);
    return id;
  }

  /** A context of somebody who may do everything in a team. */
  context(teamId: string): Context {
    const principal: Principal = {
      kind: "key",
      teamId,
      keyId: "key_test",
      scopes: ["jobs", "chat", "skills"],
      models: ["*"],
    };
    return this.database.context({ principal });
  }

  /** A desk that lets nothing in by itself: the tests say when. */
  readonly desk: JobDesk = { dispatch: () => Promise.resolve(), queueAgeLimitSeconds: 300 };

  async create<Input, Result extends Json>(
    teamId: string,
    type: JobProgram<Input, Result>["type"],
    input: NoInfer<Input>,
    more: Partial<CreateJobInput<Input, Result>> = {},
  ): Promise<string> {
    const made = await createJob(this.context(teamId), this.desk, { type, input, ...more });
    return made.job.id;
  }

  async job(teamId: string, jobId: string) {
    return getJob(this.context(teamId), { jobId });
  }

  async dispatch(settings: Partial<JobSettings> = {}): Promise<number> {
    const types = typesOf(this);
    const queue = this.queueOf(async (_, act) => act());
    const parts = { types, queue, settings: { ...this.settings, ...settings } };
    return dispatchJobs(this.database.context(), parts, { thorough: true });
  }

  process(options: ProcessOptions = {}): Process {
    const boundaries: Boundary[] = [];
    let dead = false;
    const check = () => {
      if (dead) throw new Killed("The process is dead");
    };
    const pass = async <T>(boundary: Boundary, act: () => Promise<T> | T): Promise<T> => {
      check();
      const index = boundaries.push(boundary) - 1;
      const die = (when: "before" | "after") => {
        if (!options.killsAt?.(boundary, index, when)) return;
        dead = true;
        check();
      };
      die("before");
      const result = await act();
      die("after");
      check();
      return result;
    };
    const pool = this.database.pool;
    const engine: JobEngine = {
      programs: options.programs ?? this.programs,
      settings: { ...this.settings, ...options.settings },
      queue: this.queueOf((jobId, act) => pass({ what: "message", text: jobId }, act)),
      feed: {
        publish: async (_, events) => {
          if (!dead) this.events.push(...events);
        },
      },
      ports: {
        files: this.files,
        vins: this.vins,
        skills: this.skills,
        telegram: this.telegram,
        reportFonts,
        timeZone: "Asia/Tehran",
      },
      contextFor: (principal) => killableContext(pool, principal, { pass, check }),
    };
    return {
      engine,
      boundaries,
      get dead() {
        return dead;
      },
      kill: () => void (dead = true),
      work: async (jobId) => void (await workJob(engine, jobId)),
      sweep: async () =>
        void (await sweepJobs(engine, engine.contextFor({ kind: "system", teamId: null }))),
    };
  }

  /** Delivers what is in the queue, one message after another, until it is empty. */
  async deliver(process: Process = this.process()): Promise<void> {
    for (let jobId = this.messages.shift(); jobId !== undefined; jobId = this.messages.shift())
      await process.work(jobId);
  }

  /** Moves every time that something waits for into the past. */
  async passTime(seconds = 100_000): Promise<void> {
    await this.undispatched(
      `UPDATE jobs SET lease_until = lease_until - make_interval(secs => $1),
        message_due_at = message_due_at - make_interval(secs => $1), due_at = due_at - make_interval(secs => $1)`,
      [seconds],
    );
    await this.sql("UPDATE job_steps SET wake_at = wake_at - make_interval(secs => $1)", [seconds]);
    await this.sql("UPDATE job_starts SET at = at - make_interval(secs => $1)", [seconds]);
  }

  /** Changes many jobs while nobody dispatches: two who change many in another order could wait for each other. */
  async undispatched(text: string, values: unknown[] = []): Promise<void> {
    const client = await this.database.pool.connect();
    try {
      await client.query("BEGIN; SELECT pg_advisory_xact_lock(7301, 4)");
      await client.query(text, values);
      await client.query("COMMIT");
    } finally {
      client.release(true);
    }
  }

  async open(): Promise<number> {
    const [row] = await this.sql<{ n: number }>(
      "SELECT count(*)::integer AS n FROM jobs WHERE state NOT IN ('succeeded', 'failed', 'cancelled')",
    );
    return row?.n ?? 0;
  }

  /** Goes on with living processes until every job has ended; `each` runs between the rounds. */
  async finish(each: () => Promise<void> = () => Promise.resolve(), rounds = 60): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.deliver();
      if ((await this.open()) === 0) return;
      await each();
      await this.passTime();
      await this.process().sweep();
    }
    const left = await this.sql(
      "SELECT id, type, state, waiting_for, slot, error_message FROM jobs WHERE finished_at IS NULL",
    );
    throw new Error(`Jobs did not end: ${JSON.stringify(left)}`);
  }

  async effects(jobId?: string): Promise<string[]> {
    const rows = await this.sql<{ what: string }>(
      "SELECT what FROM effects WHERE $1::text IS NULL OR job_id = $1 ORDER BY what",
      [jobId ?? null],
    );
    return rows.map(({ what }) => what);
  }

  async clear(): Promise<void> {
    await this.sql("TRUNCATE jobs, job_starts, job_pressure, effects CASCADE");
    this.messages.length = 0;
    this.delayed.length = 0;
    this.events.length = 0;
  }

  private queueOf(pass: (jobId: string, act: () => void) => Promise<void>): JobEngine["queue"] {
    return {
      send: async (jobIds, delaySeconds) => {
        for (const jobId of jobIds)
          await pass(jobId, () => {
            if (delaySeconds === undefined) this.messages.push(jobId);
            else this.delayed.push({ jobId, seconds: delaySeconds });
          });
      },
    };
  }
}

interface Passage {
  pass<T>(boundary: Boundary, act: () => Promise<T>): Promise<T>;
  check(): void;
}

/** What changes something when it is run by itself. */
const WRITES = /\b(INSERT|UPDATE|DELETE|nextval)\b/i;

/** A context whose every commit is a place to die. A transaction that dies leaves nothing. */
function killableContext(pool: pg.Pool, principal: Principal, passage: Passage): Context {
  const textOf = (query: unknown) =>
    typeof query === "string" ? query : (query as { text: string }).text; // as drizzle's driver calls it
  const single = {
    query: (query: string, values?: unknown[]) => {
      passage.check();
      const text = textOf(query);
      const act = () => pool.query(query, values);
      return WRITES.test(text.replaceAll("FOR UPDATE", ""))
        ? passage.pass({ what: "statement", text }, act)
        : act();
    },
  };
  const base = {
    principal,
    requestId: "req_test",
    source: noSource,
    log: createLogger("error", () => undefined),
    now: () => new Date(),
    secrets: { seal: noSecrets, open: noSecrets },
    epochs: { expectChange: () => Promise.resolve(), raise: () => Promise.resolve() },
    announce: () => Promise.resolve(),
    afterCommit: (action: () => Promise<void>) => action(),
  };
  const overClient = (client: unknown) => drizzle(client as pg.PoolClient, { schema }); // only its query() is used
  return {
    ...base,
    db: overClient(single),
    transaction: async (work) => {
      passage.check();
      const client = await pool.connect();
      let whole = false;
      let used = false;
      try {
        const session = {
          query: (query: string, values?: unknown[]) => {
            passage.check();
            const act = () => client.query(query, values);
            used ||= !/^(begin|commit|rollback)/.test(textOf(query));
            return textOf(query) === "commit"
              ? passage.pass({ what: "commit", text: "commit" }, act)
              : act();
          },
        };
        const result = await overClient(session).transaction((db) => {
          const inner: TransactionContext = {
            ...base,
            inTransaction: true,
            isUsed: () => used,
            db,
            transaction: (next) => next(inner),
          };
          return work(inner);
        });
        whole = true;
        return result;
      } finally {
        client.release(!whole); // of a process that died, Postgres forgets what was not committed
      }
    },
  };
}

function noSecrets(): Promise<never> {
  return Promise.reject(new Error("These tests handle no secrets"));
}
