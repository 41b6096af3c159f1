import type { Sweep } from "../jobs/engine/sweep-jobs.ts";
import type { FileStore } from "../files/file-store.ts";
import type { MadeJobs } from "../jobs/schedules/make-due-jobs.ts";
import type { Context } from "../kernel/context.ts";

/** When a schedule is due: a cron expression of five fields, and by whose clock. */
export interface Cadence {
  cron: string;
  /** `local` is the clock of TIME_ZONE. */
  clock: "local" | "utc";
}

/** How a dependency is, as a check has just found it. */
export interface DependencyHealth {
  status: "ok" | "failing" | "not_configured";
  latencyMs: number | null;
  /** A sentence for operators; never a raw answer. */
  detail?: string;
}

/** Dependencies that a check can ask directly; the queue is not among them, since it answers by a message. */
export type CheckedDependency = "database" | "cache" | "ai_service" | "telegram_api";

/** What a schedule may use. */
export interface ScheduleContext extends Pick<Context, "db" | "transaction" | "now" | "log"> {
  /** No new piece of work is begun after this; what is left waits for the next run. */
  deadline: Date;
  /** Days that single usage records are kept. */
  usageRetentionDays: number;
  /** Days that files which jobs made are kept. */
  resultDays: number;
  /** Days that jobs are kept after their end. */
  jobRetentionDays: number;
  /** Days after which an unused session erases itself. */
  sessionIdleDays: number;
  files: FileStore;
  /** Asks each dependency. A check never throws, and ends within seconds. */
  dependencies: Record<CheckedDependency, () => Promise<DependencyHealth>>;
  /** Sends a probe through the usage queue; its consumer stores how long it took. */
  sendProbe(): Promise<void>;
  /** How often a run of each schedule is started again, by the schedule's name. */
  retries: ReadonlyMap<string, number>;
  /** Asks for a queued run to be started. */
  sendRun(runId: string): Promise<void>;
  /** Sees to jobs that a dead process or a lost message has left. */
  sweepJobs(): Promise<Sweep>;
  /** Sends callbacks of jobs that are due. */
  deliverCallbacks(deadline: Date): Promise<{ sent: number; taken: number }>;
  /** Makes the jobs of teams' schedules that are due. */
  makeScheduledJobs(deadline: Date): Promise<MadeJobs>;
  /** Tells watchers ends of jobs again. @returns how many */
  retellJobEnds(): Promise<number>;
}

/** What a run did, shown to operators. */
export type ScheduleResult = Record<string, unknown>;

/** Work that is done by the clock. One file each; schedules.ts lists them. */
export interface Schedule {
  name: string;
  /** One sentence on what it does. */
  description: string;
  cadence: Cadence;
  /** What happens with a time at which the cron Worker was down: the last one is made up for once, or it is let go. */
  missed: "catch_up" | "skip";
  /** A run that has not ended after so many seconds is taken to be dead. */
  leaseSeconds: number;
  /** How often a run that failed or died is started again. */
  retries: number;
  /** May run at any time, twice at once, and again after it died anywhere. */
  run(context: ScheduleContext): Promise<ScheduleResult>;
}
