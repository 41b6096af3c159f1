import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Context, Database } from "../../kernel/context.ts";
import { newId } from "../../kernel/ids.ts";
import { rowsOf } from "../../kernel/sql-rows.ts";
import type { JobStep } from "../job.ts";
import { MESSAGE_OVERDUE_SECONDS } from "../job-settings.ts";
import { type Backlog, backlogFits, backlogRows, backlogSet, type DoneStep } from "./backlog.ts";
import type { ClaimedJob } from "./claim-job.ts";
import type { JobReport } from "./job-report.ts";

/** Thrown where somebody else has the job, or it is gone: nothing was written, and nothing more may be. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

/** Thrown in place of what would let go of a job that somebody wants cancelled: nothing was written, and it is to end. */
export class CancelWanted extends Error {
  override readonly name = "CancelWanted";
}

/** A step as it is written. */
export interface WrittenStep {
  position: number;
  name: string;
  kind: JobStep["kind"];
  state: "open" | "done" | "failed";
  /** JSON. */
  kept: string | null;
  count: number;
  /** How long it took, in milliseconds. */
  elapsedMs: number;
}

/** How a job or one attempt at it ends. */
export type Ending =
  | { state: "succeeded"; result: string }
  | { state: "failed"; error: JobError }
  | { state: "retrying"; error: JobError; failures: number; pauseSeconds: number }
  | { state: "cancelled" };

export interface JobError {
  /** One of the closed set of error codes, or of the job's own, see docs/jobs.md. */
  code: string;
  /** A sentence for the team. */
  message: string;
}

const heldRow = z.object({ cancelled: z.boolean() });
const updatedRow = heldRow.extend({ kept: z.boolean() });
const beatRow = heldRow.extend({ off: z.boolean() });
const dueRow = z.object({ seconds: z.number() });

/**
 * All that the process which works a job may write about it. Every statement says the fence under which the job was
 * claimed, so that a process which was taken to be dead changes nothing; times are Postgres's own.
 */
export class JobLease {
  readonly job: ClaimedJob;
  readonly report: JobReport;
  /** Whether this attempt has committed something. */
  progressed: boolean;
  /** Whether somebody wants the job cancelled, as far as was heard. */
  cancelled = false;
  readonly #db: Database;
  readonly #seconds: number;
  /** Steps that are done and not written. */
  #steps: DoneStep[] = [];
  #beating: Promise<unknown> | null = null;

  constructor(context: Pick<Context, "db">, job: ClaimedJob, report: JobReport, seconds: number) {
    this.#db = context.db;
    this.job = job;
    this.report = report;
    this.#seconds = seconds;
    this.progressed = job.progressed;
  }

  /**
   * Says that the process lives, and writes what it has to tell.
   * @returns whether the team was switched off
   * @throws LeaseLost
   */
  async beat(): Promise<{ off: boolean }> {
    const beating = this.#withBacklog(async (backlog) => {
      const rows = await this.#db.execute(sql`
        WITH held AS (
          UPDATE jobs SET ${this.#told()}, ${this.#prolonged()}, ${backlogSet(backlog)},
            progressed = progressed OR ${backlog.steps.length > 0}
          WHERE ${this.#mine()} AND ${backlogFits(backlog)}
          RETURNING id, team_id, attempt, log_lines, cancel_requested_at
        )${backlogRows(backlog)}
        SELECT cancel_requested_at IS NOT NULL AS cancelled,
          EXISTS (SELECT 1 FROM switchboard WHERE held.team_id = ANY (teams_off)) AS off
        FROM held`);
      return { off: this.#heard(rowsOf(beatRow, rows)[0]).off };
    });
    this.#beating = beating;
    return beating;
  }

  /**
   * Keeps a step that is done until the next statement: before another step begins, it is to be written. It can wait
   * so long, since what comes next of a program is its next step, or its end.
   */
  keepDone(step: DoneStep): void {
    this.#steps.push(step);
    this.report.unwritten = true;
  }

  /** Writes steps that are done. @throws LeaseLost */
  async flushSteps(): Promise<void> {
    await this.#beating?.catch(() => undefined); // what it could not write, it gave back
    if (this.#steps.length > 0) await this.beat();
  }

  /** The same, only where one of them would be done again, should the process die now. @throws LeaseLost */
  async flushWork(): Promise<void> {
    await this.#beating?.catch(() => undefined);
    if (this.#steps.some((step) => step.kind === "run")) await this.beat();
  }

  /** Writes steps that are done, and lines of the log. @throws LeaseLost */
  async flush(): Promise<void> {
    await this.flushSteps();
    if (this.report.hasLines) await this.beat();
  }

  /**
   * Writes a new step, by the transaction that has its effect or by itself.
   * @throws LeaseLost, also when the job is further than that
   */
  async addStep(db: Database | null, step: WrittenStep): Promise<void> {
    const { position, name, kind, state, kept, count } = step;
    const rows = await (db ?? this.#db).execute(sql`
      WITH held AS (
        UPDATE jobs SET ${this.#told()}, ${this.#prolonged()}, steps = steps + 1, progressed = true
        WHERE ${this.#mine()} AND steps = ${position} RETURNING id, attempt, cancel_requested_at
      ), added AS (
        INSERT INTO job_steps (job_id, position, name, kind, state, kept, count, attempt, started_at, finished_at)
        SELECT id, ${position}, ${name}, ${kind}, ${state}, ${kept}::json, ${count}, attempt,
          ${ago(step.elapsedMs)}, CASE WHEN ${state} = 'open' THEN NULL ELSE now() END
        FROM held
      )
      SELECT cancel_requested_at IS NOT NULL AS cancelled FROM held`);
    this.#heard(rowsOf(heldRow, rows)[0]);
  }

  /**
   * Changes an open step: its next chunk, or its end.
   * @param expected how many chunks the step has so far
   * @throws LeaseLost, also when the step is further than that
   */
  async updateStep(
    db: Database | null,
    step: Pick<WrittenStep, "position" | "state" | "kept" | "count">,
    expected: number,
  ): Promise<void> {
    const { position, state, kept, count } = step;
    const rows = await (db ?? this.#db).execute(sql`
      WITH held AS (
        UPDATE jobs SET ${this.#told()}, ${this.#prolonged()}, progressed = true
        WHERE ${this.#mine()} RETURNING id, attempt, cancel_requested_at
      ), changed AS (
        UPDATE job_steps SET state = ${state}, kept = ${kept}::json, count = ${count}, attempt = held.attempt,
          finished_at = CASE WHEN ${state} = 'open' THEN NULL ELSE now() END
        FROM held
        WHERE job_id = held.id AND position = ${position} AND job_steps.state = 'open' AND count = ${expected}
        RETURNING 1
      )
      SELECT cancel_requested_at IS NOT NULL AS cancelled, EXISTS (SELECT 1 FROM changed) AS kept FROM held`);
    const held = this.#heard(rowsOf(updatedRow, rows)[0]);
    if (!held.kept) throw new LeaseLost(`Step ${position} of ${this.job.id} is further than that`);
  }

  /**
   * Ends a sleep whose time has come.
   * @returns whether it has
   * @throws LeaseLost
   */
  async endSleep(position: number): Promise<boolean> {
    const rows = await this.#db.execute(sql`
      WITH held AS (
        UPDATE jobs SET ${this.#told()}, ${this.#prolonged()}, progressed = true
        WHERE ${this.#mine()} RETURNING id, attempt, cancel_requested_at
      ), ended AS (
        UPDATE job_steps SET state = 'done', attempt = held.attempt, finished_at = now() FROM held
        WHERE job_id = held.id AND position = ${position} AND job_steps.state = 'open' AND wake_at <= now()
        RETURNING 1
      )
      SELECT cancel_requested_at IS NOT NULL AS cancelled, EXISTS (SELECT 1 FROM ended) AS kept FROM held`);
    return this.#heard(rowsOf(updatedRow, rows)[0]).kept;
  }

  /**
   * Writes that the program caught what a step threw, and went on; new or open before.
   * @param step.message JSON
   * @throws LeaseLost
   */
  async failStep(
    step: Pick<WrittenStep, "position" | "name" | "kind"> & { message: string },
  ): Promise<void> {
    const { position, name, kind, message } = step;
    const rows = await this.#db.execute(sql`
      WITH held AS (
        UPDATE jobs SET ${this.#told()}, ${this.#prolonged()}, steps = ${position}::integer + 1, progressed = true
        WHERE ${this.#mine()} AND steps IN (${position}, ${position}::integer + 1)
        RETURNING id, attempt, cancel_requested_at
      ), failed AS (
        INSERT INTO job_steps (job_id, position, name, kind, state, kept, attempt, started_at, finished_at)
        SELECT id, ${position}, ${name}, ${kind}, 'failed', ${message}::json, attempt, now(), now() FROM held
        ON CONFLICT (job_id, position) DO UPDATE
        SET state = 'failed', kept = excluded.kept, attempt = excluded.attempt, finished_at = now()
      )
      SELECT cancel_requested_at IS NOT NULL AS cancelled FROM held`);
    this.#heard(rowsOf(heldRow, rows)[0]);
  }

  /**
   * Holds the job's row until the transaction's end, so that nothing that would wake it is overlooked.
   * @throws LeaseLost
   */
  async lock(db: Database): Promise<void> {
    const rows = await db.execute(sql`
      SELECT cancel_requested_at IS NOT NULL AS cancelled FROM jobs WHERE ${this.#mine()} FOR UPDATE`);
    this.#heard(rowsOf(heldRow, rows)[0]);
  }

  /**
   * Stops working until something comes: the step is open, and nothing is held. The lease is over afterwards.
   * @param wait.step written with it, where it is new
   * @param wait.wakeAt null for what has no time
   * @returns seconds until it is due, null without a time
   * @throws LeaseLost, CancelWanted
   */
  async park(
    db: Database | null,
    wait: { waitingFor: string; wakeAt: SQL | null; step: Omit<WrittenStep, "state"> | null },
  ): Promise<number | null> {
    const { step } = wait;
    const wakeAt = wait.wakeAt ?? sql`NULL::timestamptz`;
    const rows = await (db ?? this.#db).execute(sql`
      WITH held AS (
        UPDATE jobs SET ${this.#told()}, ${RELEASED}, state = 'scheduled', waiting_for = ${wait.waitingFor},
          due_at = ${wakeAt}, progressed = progressed OR ${step !== null}, steps = steps + ${step ? 1 : 0}
        WHERE ${this.#mineToLeave()} AND (${step === null} OR steps = ${step?.position ?? 0})
        RETURNING id, attempt, due_at
      ), added AS (
        INSERT INTO job_steps (job_id, position, name, kind, state, kept, count, wake_at, attempt, started_at)
        SELECT id, ${step?.position ?? 0}, ${step?.name ?? ""}, ${step?.kind ?? "run"}, 'open', ${step?.kept ?? null}::json,
          ${step?.count ?? 0}, due_at, attempt, now()
        FROM held WHERE ${step !== null}
      )
      SELECT coalesce(extract(epoch FROM due_at - now()), -1)::double precision AS seconds FROM held`);
    const [row] = rowsOf(dueRow, rows);
    if (!row) return this.#notLeft(db ?? this.#db);
    return wait.wakeAt === null ? null : Math.max(0, row.seconds);
  }

  /**
   * Ends the lease and keeps the job's part of the capacity: the next message goes on.
   * @throws LeaseLost, CancelWanted
   */
  async handOver(): Promise<void> {
    const rows = await this.#db.execute(sql`
      UPDATE jobs SET ${this.#told()}, lease_until = NULL, fence = fence + 1,
        message_due_at = now() + make_interval(secs => ${MESSAGE_OVERDUE_SECONDS})
      WHERE ${this.#mineToLeave()} RETURNING false AS cancelled`);
    if (rowsOf(heldRow, rows).length === 0) await this.#notLeft(this.#db);
  }

  /**
   * Puts the job back among those that wait, in the middle of its attempt.
   * @throws LeaseLost, CancelWanted
   */
  async giveBack(waitingFor: string): Promise<void> {
    const rows = await this.#db.execute(sql`
      UPDATE jobs SET ${this.#told()}, ${RELEASED}, state = 'queued', waiting_for = ${waitingFor}, queued_at = now()
      WHERE ${this.#mineToLeave()} RETURNING false AS cancelled`);
    if (rowsOf(heldRow, rows).length === 0) await this.#notLeft(this.#db);
  }

  /**
   * Ends the attempt, and the job where it is not made again. The callback's row is written with the end, and so are
   * the last step and the last lines of the log.
   * @throws LeaseLost, CancelWanted where it would be made again
   */
  async end(ending: Ending): Promise<void> {
    const { state } = ending;
    const again = state === "retrying";
    const error = "error" in ending ? ending.error : null;
    await this.#withBacklog(async (backlog) => {
      const rows = await this.#db.execute(sql`
        WITH held AS (
          UPDATE jobs SET ${this.#told()}, ${RELEASED}, ${backlogSet(backlog)}, state = ${state},
            in_attempt = false, progressed = false,
            waiting_for = ${again ? "retry" : null}, cancel_requested_at = NULL,
            due_at = CASE WHEN ${again} THEN now() + make_interval(secs => ${again ? ending.pauseSeconds : 0}) END,
            failures = ${again ? ending.failures : this.job.failures},
            result = ${state === "succeeded" ? ending.result : null}::json,
            error_code = ${error?.code ?? null}, error_message = ${error?.message ?? null},
            finished_at = CASE WHEN ${again} THEN NULL ELSE now() END
          WHERE ${again ? this.#mineToLeave() : this.#mine()} AND ${backlogFits(backlog)}
          RETURNING id, team_id, attempt, callback_url, state, log_lines
        ), attempt AS (
          UPDATE job_attempts SET outcome = ${again ? "failed" : state}, ended_at = now(),
            error_code = ${error?.code ?? null}, error_message = ${error?.message ?? null}
          FROM held WHERE job_id = held.id AND number = held.attempt
        ), callback AS (
          INSERT INTO job_callbacks (id, job_id, team_id, url, event)
          SELECT ${newId("message")}, id, team_id, callback_url, 'job.' || state
          FROM held WHERE callback_url IS NOT NULL AND NOT ${again}
        )${backlogRows(backlog)}
        SELECT false AS cancelled FROM held`);
      if (rowsOf(heldRow, rows).length === 0) await this.#notLeft(this.#db);
    });
  }

  /** Whoever cannot write it gives it back. */
  async #withBacklog<T>(write: (backlog: Backlog) => Promise<T>): Promise<T> {
    const lines = this.report.takeLines();
    const steps = this.#steps;
    this.#steps = [];
    try {
      return await write({ lines, steps });
    } catch (error) {
      this.report.giveBack(lines);
      this.#steps = [...steps, ...this.#steps];
      throw error;
    }
  }

  #mine(): SQL {
    const { id, fence } = this.job;
    return sql`id = ${id} AND fence = ${fence} AND state = 'running' AND lease_until IS NOT NULL`;
  }

  /** Whoever cancels a job that runs leaves it to its process: one that lets go of it must not take the wish along. */
  #mineToLeave(): SQL {
    return sql`${this.#mine()} AND cancel_requested_at IS NULL`;
  }

  /** Why the job could not be let go of, by a look of its own: a statement that waited for a row sees the others as they were. */
  async #notLeft(db: Database): Promise<never> {
    await this.lock(db);
    if (this.cancelled) throw new CancelWanted(`${this.job.id} is to be cancelled`);
    throw new LeaseLost(`${this.job.id} is somebody else's`);
  }

  #told(): SQL {
    const { progress, currentStep } = this.report;
    return sql`progress_done = ${progress.done}, progress_total = ${progress.total}::bigint,
      progress_message = ${progress.message}, current_step = ${currentStep}, updated_at = now()`;
  }

  #prolonged(): SQL {
    return sql`lease_until = now() + make_interval(secs => ${this.#seconds})`;
  }

  #heard<Row extends { cancelled: boolean }>(row: Row | undefined): Row {
    if (!row) throw new LeaseLost(`${this.job.id} is somebody else's`);
    this.cancelled ||= row.cancelled;
    return row;
  }
}

/** What holds for a job that nobody works and that has no part of the capacity. */
const RELEASED = sql`slot = false, lease_until = NULL, message_due_at = NULL, fence = fence + 1`;

function ago(milliseconds: number): SQL {
  return sql`now() - make_interval(secs => ${Math.max(0, milliseconds) / 1000})`;
}
