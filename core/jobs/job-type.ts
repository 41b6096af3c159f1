import type { z } from "zod";
import type { FileStore } from "../files/file-store.ts";
import type { Context, TransactionContext } from "../kernel/context.ts";
import type { Scope } from "../kernel/scopes.ts";
import type { PdfFonts } from "../reports/pdf/write-pdf.ts";
import type { TelegramFiles } from "../telegram/telegram-files.ts";
import type { SkillUser } from "../skills/job/skill-user.ts";
import type { VinReader } from "../vin/files/vin-reader.ts";

/** What can be kept as JSON and comes back the same. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/**
 * What there is to know about a kind of job before one runs. Every Worker may import it; how it is done
 * (a `JobProgram`) is imported by the cron Worker alone, which runs it.
 */
export interface JobType<Input = unknown, Result extends Json = Json> {
  /** Such as `generate_pdf_report`. */
  name: string;
  /** One sentence for users and for the model. */
  summary: string;
  /** What its creator needs besides `jobs`. */
  scope: Scope;
  /** The skill that it does the work of: none is made for a team that has switched this off. */
  skill?: string;
  input: z.ZodType<Input>;
  result: z.ZodType<Result>;
  /** How many may run at once. */
  concurrency?: { team?: number; total?: number };
  /** How many may be started in a time. */
  rate?: { max: number; perSeconds: number; of: "team" | "total" };
  /** A failed attempt is made again so often, with jittered backoff; then the job is failed. By default 5. */
  maxAttempts?: number;
}

/**
 * How a job is done. `run` is called anew after every pause, hand-over and crash, and asks for the same steps in the
 * same order: those that are done give their kept results at once. So everything with an effect, and everything that
 * may come out otherwise the next time (the clock, random numbers, answers of others), stands inside a step.
 */
export interface JobProgram<Input = unknown, Result extends Json = Json> {
  type: JobType<Input, Result>;
  /** Grows with each change of the steps. A job goes on with the version that it began with, or is refused. */
  version: number;
  run(job: JobRun<Input>): Promise<Result>;
  /** Earlier versions, for as long as jobs of them may be running. */
  earlier?: Readonly<Record<number, JobProgram<Input, Result>["run"]>>;
}

/** A job as its program sees it. */
export interface JobRun<Input> {
  readonly id: string;
  readonly teamId: string;
  readonly input: Input;
  /** From 1. */
  readonly attempt: number;
  /** Acts for the job's team with what its creator was allowed. */
  readonly context: Context;
  readonly ports: JobPorts;
  readonly step: JobSteps;
  /** Aborted when the job was cancelled, lost its lease or must hand over; give it to whatever takes long. */
  readonly signal: AbortSignal;
  /** Shown to whoever watches, within a second; cheap to call often. `total` null where it is not known. */
  progress(done: number, total: number | null, message?: string): void;
  /** A line of the job's own log, for its users. Nothing secret. */
  log(message: string): void;
  /**
   * A result that can be downloaded. The same name again replaces it, so a repeated step leaves one file.
   * @returns its link, relative to the service: `/v1/jobs/{id}/results/{name}`
   */
  saveResult(file: {
    name: string;
    contentType: string;
    body: ReadableStream<Uint8Array> | Uint8Array | string;
  }): Promise<{ url: string; size: number }>;
}

/** The parts that a job is made of. Names are unique within a job; they are its timeline. */
export interface JobSteps {
  /** Work that may be repeated when it dies in the middle; its result is kept, and must be JSON of at most 256 KiB. */
  run<Kept extends Json | void>(name: string, work: () => Promise<Kept>): Promise<Kept>;
  /** Work within the database alone: its effect and its result are there once, or not at all. */
  transaction<Kept extends Json | void>(
    name: string,
    work: (context: TransactionContext) => Promise<Kept>,
  ): Promise<Kept>;
  /**
   * Work through something long, chunk by chunk. Each chunk's effect and the state after it are committed together, so
   * that a kill repeats no committed chunk. `open` starts where the state says.
   * @returns the last state
   */
  chunks<State extends Json, Chunk>(
    name: string,
    source: {
      start: State;
      open(state: State): AsyncIterable<Chunk>;
      commit(context: TransactionContext, chunk: Chunk, state: State): Promise<State>;
    },
  ): Promise<State>;
  /** Waits without holding anything; at most a year. */
  sleep(name: string, milliseconds: number): Promise<void>;
  sleepUntil(name: string, time: Date): Promise<void>;
  /** Waits for `POST /v1/jobs/{id}/events` with this event. @returns what came with it, null when the time was up */
  waitForEvent(name: string, event: string, timeoutMs: number): Promise<Json>;
  /** Other jobs, of the same team, at once; waits for them all. @throws JobFailure when one of them failed */
  children<Input, Result extends Json>(
    name: string,
    type: JobType<Input, Result>,
    inputs: readonly Input[],
  ): Promise<Result[]>;
}

/** Thrown by a program whose work cannot succeed however often it is tried: the job fails at once, with this sentence. */
export class JobFailure extends Error {
  override readonly name = "JobFailure";
}

/** What jobs reach of the world. Grows with what programs need; made in the cron Worker's deps.ts. */
export interface JobPorts {
  files: FileStore;
  telegram: TelegramFiles;
  /** Parsed when they are first asked for. */
  reportFonts(): PdfFonts;
  /** The operator's, an IANA name. */
  timeZone: string;
  /** Reads VINs; see core/vin/files/vin-reader.ts. */
  vins: VinReader;
  /** Uses skills; see core/skills/job/skill-user.ts. */
  skills: SkillUser;
}
