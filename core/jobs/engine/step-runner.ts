import { sql } from "drizzle-orm";
import type { Context, Database, TransactionContext } from "../../kernel/context.ts";
import { jobJson } from "../job-json.ts";
import { JobFailure, type Json } from "../job-type.ts";
import { JOB_JSON_BYTES, JOB_STEPS, JOB_WAIT_MS, type JobStep } from "../job.ts";
import type { DoneStep } from "./backlog.ts";
import { CancelWanted, type JobLease, LeaseLost } from "./job-lease.ts";
import type { KeptStep } from "./step-history.ts";
import type { StopSign } from "./stop.ts";

const NAME_LENGTH = 200;
const ERROR_LENGTH = 2_000;

export interface StepRunnerParts {
  lease: JobLease;
  history: readonly KeptStep[];
  stop: StopSign;
  /** Acts as the job. */
  context: Context;
  /** Whether the process has worked for as long as it may. */
  isTimeUp(): boolean;
}

/** What one asked step is: where it stands, and what an earlier run left of it. */
export interface AskedStep {
  position: number;
  name: string;
  kind: JobStep["kind"];
  kept: KeptStep | null;
}

/**
 * Goes through a program's steps in their order: gives back what is kept, runs what is new, and stops the program where
 * it asks for other steps than it did before.
 */
export class StepRunner {
  readonly parts: StepRunnerParts;
  readonly #names = new Set<string>();
  #next = 0;
  #hasCommitted = false;
  #running: string | null = null;
  /** A step that threw. Should the program go on, it has caught the error, and must get it again the next time. */
  #thrown: { step: AskedStep; message: string } | null = null;

  constructor(parts: StepRunnerParts) {
    this.parts = parts;
    if (parts.history.length > 0) parts.lease.report.replay();
  }

  /**
   * Runs one step; a program's steps never overlap, since their order is what a replay goes by.
   * @param work does the step, given what is kept of it where it is not done
   */
  async step<T>(
    name: string,
    kind: JobStep["kind"],
    work: (asked: AskedStep) => Promise<T>,
    kept: (value: Json) => Promise<T> | T,
  ): Promise<T> {
    const { stop, lease } = this.parts;
    if (stop.stop) return stop.halt(stop.stop);
    if (this.#running !== null)
      return this.#refuse(
        `The step "${name}" was asked for while "${this.#running}" was running. Steps come one after another; put what may go together into one step, or into child jobs.`,
      );
    this.#running = name;
    try {
      await this.#writeBefore(kind);
      await this.#keepThrown();
      const asked = await this.#ask(name, kind);
      if (asked.kept && asked.kept.state !== "open") lease.report.replay();
      if (asked.kept?.state === "done") return await kept(await this.#read(asked.kept));
      if (asked.kept?.state === "failed") throw new Error(String(await this.#read(asked.kept)));
      await this.#pauseBefore();
      lease.report.endReplay();
      lease.report.currentStep = name;
      lease.report.tell({ kind: "step", name, state: "running" });
      const result = await this.#run(asked, work);
      lease.report.tell({ kind: "step", name, state: "done" });
      return result;
    } finally {
      this.#running = null;
    }
  }

  /** To be called once the program has returned: steps that it no longer asks for are a change of its code. */
  async requireAllAsked(): Promise<void> {
    this.parts.lease.report.endReplay();
    const left = this.parts.history[this.#next];
    if (left)
      await this.#refuse(
        `The program ended without the step "${left.name}", which it had begun before. Its code has changed.`,
        "program_changed",
      );
  }

  /**
   * Does something that only we can fail at: what it throws never reaches the program.
   * @param work throws LeaseLost where the job is somebody else's, CancelWanted where it is to end
   */
  async ours<T>(work: () => Promise<T>): Promise<T> {
    const { stop } = this.parts;
    // What a step gives after it was told to stop may be half of it.
    if (stop.stop) return stop.halt(stop.stop);
    try {
      return await work();
    } catch (error) {
      if (error instanceof CancelWanted) return stop.halt({ kind: "cancelled" });
      return stop.halt(error instanceof LeaseLost ? { kind: "lost" } : { kind: "fault", error });
    }
  }

  /**
   * One transaction of the program's work and of what is written about it. The program gets what its own work throws;
   * whether anything else went wrong before or after the commit, nobody can tell, and a later run finds out. Where the
   * work asked nothing of the database, what is written about it is one statement, which is a transaction by itself.
   * @param work gives what writes, in the transaction or, given null, by itself
   */
  async commit(
    work: (inner: TransactionContext) => Promise<(db: Database | null) => Promise<void>>,
  ): Promise<void> {
    const { stop, context } = this.parts;
    let thrown: { error: unknown } | null = null;
    try {
      await context.transaction(async (inner) => {
        const working = work(inner);
        working.catch((error: unknown) => (thrown = { error }));
        // A program that is stopped in the middle leaves no transaction open behind it.
        const write = await stop.unlessStopped(working);
        if (write === null) throw new Error("Stopped");
        await write(inner.isUsed() ? inner.db : null);
      });
    } catch (error) {
      if (stop.stop) return stop.halt(stop.stop);
      const own = thrown as { error: unknown } | null; // assigned in the closure, which TypeScript cannot see
      if (own) throw own.error;
      await this.ours(() => Promise.reject(error));
    }
    this.committed();
  }

  /** Takes a step that is done; it is written before what comes next has an effect. */
  async keepDone(step: DoneStep): Promise<void> {
    const { stop, lease } = this.parts;
    // What a step gives after it was told to stop may be half of it.
    if (stop.stop) return stop.halt(stop.stop);
    // The asked step has more than is written.
    const { position, name, kind, kept, count, elapsedMs } = step;
    lease.keepDone({ position, name, kind, kept, count, elapsedMs });
    this.committed();
  }

  /** Notes that something new is committed. */
  committed(): void {
    this.parts.lease.progressed = true;
    this.#hasCommitted = true;
  }

  /** Goes on only where nothing has stopped the program and there is time left. */
  async pauseBetween(): Promise<void> {
    await this.#pauseBefore();
  }

  /** JSON of what a step gives. @throws JobFailure where it is too large */
  json(step: AskedStep, value: unknown): string {
    const text = jobJson(value);
    if (text !== null) return text;
    throw new JobFailure(
      `The step "${step.name}" gave more than ${JOB_JSON_BYTES / 1024} KiB. Save large things as a result or in a table.`,
    );
  }

  async #ask(name: string, kind: JobStep["kind"]): Promise<AskedStep> {
    if (name === "" || name.length > NAME_LENGTH || name.includes("\u0000") || !name.isWellFormed())
      return this.#refuse(`A step's name has 1 to ${NAME_LENGTH} characters.`);
    if (this.#names.has(name)) return this.#refuse(`There are two steps named "${name}".`);
    this.#names.add(name);
    const position = this.#next++;
    const kept = this.parts.history[position] ?? null;
    if (position >= JOB_STEPS)
      return this.#refuse(`A job has at most ${JOB_STEPS} steps. Use chunks for what is repeated.`);
    if (kept && (kept.name !== name || kept.kind !== kind))
      return this.#refuse(
        `The program asks for the step "${name}" (${kind}) where it had "${kept.name}" (${kept.kind}) before. Its code has changed.`,
        "program_changed",
      );
    return { position, name, kind, kept };
  }

  async #read(kept: KeptStep): Promise<Json> {
    return this.ours(() => kept.kept());
  }

  async #run<T>(asked: AskedStep, work: (asked: AskedStep) => Promise<T>): Promise<T> {
    try {
      return await work(asked);
    } catch (error) {
      const { stop, lease } = this.parts;
      if (stop.stop) return stop.halt(stop.stop);
      const message = error instanceof Error ? error.message : String(error);
      lease.report.tell({ kind: "step", name: asked.name, state: "failed" });
      this.#thrown = { step: asked, message: message.slice(0, ERROR_LENGTH) };
      throw error;
    }
  }

  /**
   * Writes what is done before the next step begins. The end of a list of chunks may wait for one step more: all of its
   * chunks are committed, and should the process die, its source has nothing left.
   */
  async #writeBefore(kind: JobStep["kind"]): Promise<void> {
    const { lease } = this.parts;
    const mayWait = kind === "run" && !this.#thrown;
    await this.ours(() => (mayWait ? lease.flushWork() : lease.flushSteps()));
  }

  async #keepThrown(): Promise<void> {
    const thrown = this.#thrown;
    if (!thrown) return;
    this.#thrown = null;
    const { position, name, kind } = thrown.step;
    const { lease } = this.parts;
    await this.ours(() =>
      lease.failStep({ position, name, kind, message: JSON.stringify(thrown.message) }),
    );
    this.committed();
  }

  async #pauseBefore(): Promise<void> {
    const { stop, lease, isTimeUp } = this.parts;
    if (stop.stop) await stop.halt(stop.stop);
    if (lease.cancelled) await stop.halt({ kind: "cancelled" });
    // Each process does something, or a job could be handed on for ever.
    if (this.#hasCommitted && isTimeUp()) await stop.halt({ kind: "hand_over" });
  }

  #refuse(message: string, code = "program_fault"): Promise<never> {
    return this.parts.stop.halt({ kind: "refused", error: { code, message } });
  }
}

/** The end of a sleep, bounded. */
export function wakeAfter(milliseconds: number) {
  const seconds = Math.min(Math.max(0, milliseconds), JOB_WAIT_MS) / 1000;
  return sql`now() + make_interval(secs => ${seconds})`;
}
