import type { JobEvent, JobFeed } from "../job-feed.ts";
import { JOB_LOG_LINE_LENGTH, JOB_LOG_LINES } from "../job.ts";
import type { ClaimedJob } from "./claim-job.ts";

export interface LogLine {
  message: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** Events that wait to be told; of more, the oldest are left out, since the row says what is true. */
const EVENTS = 500;
const MESSAGE_LENGTH = 500;

/** What a running job tells its users, until it is written and told. */
export class JobReport {
  progress: ClaimedJob["progress"];
  currentStep: string | null = null;
  /** Whether there is something that the row does not say yet. */
  unwritten = false;
  /**
   * While steps give their kept results: what was told since the last one, which a process that died may not have
   * written. What was told before that step was written with it or before it.
   */
  #replayed: { progress: ClaimedJob["progress"] | null; lines: string[] } | null = null;
  readonly #job: ClaimedJob;
  readonly #feed: JobFeed;
  readonly #now: () => Date;
  #lines: LogLine[] = [];
  #events: JobEvent[] = [];
  #progressUntold = false;

  constructor(job: ClaimedJob, feed: JobFeed, now: () => Date) {
    this.#job = job;
    this.#feed = feed;
    this.#now = now;
    this.progress = job.progress;
  }

  setProgress(done: number, total: number | null, message: string | undefined): void {
    const progress = {
      done: wholeNumber(done),
      total: total === null ? null : wholeNumber(total),
      message: storable(message ?? this.progress.message, MESSAGE_LENGTH),
    };
    if (this.#replayed) {
      this.#replayed.progress = progress;
      return;
    }
    this.progress = progress;
    this.unwritten = true;
    this.#progressUntold = true;
  }

  /** A step gives, or is about to give, its kept result. */
  replay(): void {
    this.#replayed = { progress: null, lines: [] };
  }

  /** From here on everything is new. */
  endReplay(): void {
    const replayed = this.#replayed;
    if (!replayed) return;
    this.#replayed = null;
    const { progress, lines } = replayed;
    if (progress) this.setProgress(progress.done, progress.total, progress.message);
    // An attempt that goes on has written its lines before it paused.
    if (!this.#job.progressed) for (const line of lines) this.addLine(line);
  }

  addLine(text: string): void {
    if (this.#replayed) {
      this.#replayed.lines.push(String(text));
      if (this.#replayed.lines.length > JOB_LOG_LINES) this.#replayed.lines.shift();
      return;
    }
    const message = storable(String(text), JOB_LOG_LINE_LENGTH);
    this.#lines.push({ message, at: this.#now().getTime() });
    if (this.#lines.length > JOB_LOG_LINES) this.#lines.shift();
    this.unwritten = true;
    this.tell({ kind: "log", message });
  }

  get hasLines(): boolean {
    return this.#lines.length > 0;
  }

  /** Lines that are not written; whoever fails to write them gives them back. */
  takeLines(): LogLine[] {
    const lines = this.#lines;
    this.#lines = [];
    this.unwritten = false;
    return lines;
  }

  giveBack(lines: LogLine[]): void {
    this.#lines = [...lines, ...this.#lines].slice(-JOB_LOG_LINES);
    this.unwritten = true;
  }

  tell(event: WithoutJob<JobEvent>): void {
    this.#events.push({ ...event, jobId: this.#job.id, at: this.#now().getTime() });
    if (this.#events.length > EVENTS) this.#events.shift();
  }

  /** Tells watchers what is new. Never throws. */
  async publish(): Promise<void> {
    if (this.#progressUntold) {
      this.#progressUntold = false;
      this.tell({ kind: "progress", ...this.progress });
    }
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    await this.#feed.publish(this.#job.teamId, events);
  }
}

type WithoutJob<Event> = Event extends unknown ? Omit<Event, "jobId" | "at"> : never;

function wholeNumber(value: number): number {
  return Number.isFinite(value) ? Math.min(Math.max(0, Math.round(value)), 2 ** 53 - 1) : 0;
}

/** What Postgres takes as text. */
function storable(text: string, length: number): string {
  return text.slice(0, length).replaceAll("\u0000", "").toWellFormed();
}
