/** What a job can be. Three of them are its end, from which only a retry by hand leads back. */
export type FeedState =
  | "queued"
  | "scheduled"
  | "running"
  | "retrying"
  | "succeeded"
  | "failed"
  | "cancelled";

/** Something that has happened to a job, for whoever watches it. Nothing secret. */
export type JobEvent = {
  jobId: string;
  /** When it happened, in milliseconds since 1970. */
  at: number;
} & (
  | {
      kind: "state";
      state: FeedState;
      /** Why it waits, where it does. */
      waitingFor?: string | null;
      /** From 1; 0 before the first. */
      attempt?: number;
      /** Why the attempt, or the job, failed. */
      error?: string | null;
      /** Told again, in case whoever told it first has died before: left out where it is known. */
      again?: true;
    }
  | { kind: "progress"; done: number; total: number | null; message: string }
  | {
      kind: "step";
      /** Unique within its job. */
      name: string;
      /** Such as `running`, `waiting`, `done`, `failed`. */
      state: string;
      error?: string | null;
    }
  | { kind: "log"; message: string }
  | { kind: "result"; name: string; contentType: string; size: number; url: string }
);

/** Who tells watchers what happens to jobs. */
export interface JobFeed {
  /**
   * Tells everybody who watches one of these jobs, or the team's, in this order. Call it after the commit of what it
   * tells: the feed is news, Postgres is the truth. It never throws: what could not be told is found by watchers when
   * they come again, and the ends of jobs are told again by the tick.
   */
  publish(teamId: string, events: readonly JobEvent[]): Promise<void>;
}

/** Where a watcher begins. */
export interface FeedStart {
  /** Only this job's events, until its end; null for all of the team, without an end. */
  jobId: string | null;
  /** The number of the last event that the watcher has; null for none. */
  after: number | null;
}

/** An open feed. */
export interface OpenFeed {
  /** Whether everything since `after` is in the body; otherwise it begins now, and the watcher needs the state as it is. */
  complete: boolean;
  /** The number of the last event before the body, for whoever comes again. */
  position: number;
  /** Server-sent events, as they go out. Ends after the event that ends the job. */
  body: ReadableStream<Uint8Array>;
}

/** What the api Worker reads of feeds. */
export interface JobFeedReader {
  /** @throws AppError `unavailable` when the feed cannot be reached, or has too many watchers */
  follow(teamId: string, start: FeedStart, signal?: AbortSignal): Promise<OpenFeed>;
  /** Waits for a job's end. @returns false when it has not come in this time, or nobody can tell */
  awaitEnd(teamId: string, jobId: string, milliseconds: number): Promise<boolean>;
}

/** Whether a job in this state is over. */
export function isOver(state: FeedState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}
