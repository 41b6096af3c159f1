import { type FeedState, isOver, type JobEvent } from "#core/jobs/job-feed.ts";

/** An event with its number. */
export interface FeedEvent {
  /** Grows with each event of the team, also over the feed's own death and erasure. */
  number: number;
  jobId: string;
  kind: JobEvent["kind"];
  /** One line of JSON. */
  text: string;
  /** Whether the job is over with it. */
  ends: boolean;
}

/** Events that are kept for a team, and how many more may gather before the oldest are dropped at once. */
const KEPT = 2_000;
const SLACK = 500;
/** How long an event is kept, in milliseconds: for watchers who were away for a night. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** Numbers are microseconds since 1970 at least, so that a feed which was erased never gives a number twice. */
const PER_MS = 1_000;

type Row = Record<string, SqlStorageValue> & {
  number: number;
  job_id: string;
  kind: JobEvent["kind"];
  text: string;
  ends: number;
};

/** The latest events of a team's jobs, in SQLite. */
export class FeedLog {
  private readonly sql: SqlStorage;
  private count: number | null = null;

  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  /**
   * Keeps an event. A job's progress replaces its progress before, which nobody needs any more.
   * @param now milliseconds since 1970
   */
  add(event: JobEvent, text: string, now: number): FeedEvent {
    this.createTables(now);
    const number = Math.max(this.lastNumber() + 1, now * PER_MS);
    const ends = event.kind === "state" && isOver(event.state);
    if (event.kind === "progress") this.dropProgress(event.jobId);
    this.sql.exec(
      "INSERT INTO events (number, job_id, kind, state, at, ends, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
      number,
      event.jobId,
      event.kind,
      event.kind === "state" ? event.state : null,
      event.at,
      ends ? 1 : 0,
      text,
    );
    this.sql.exec("UPDATE feed SET last = ?", number);
    this.count = this.countEvents() + 1;
    if (this.count > KEPT + SLACK) this.dropOldest();
    return { number, jobId: event.jobId, kind: event.kind, text, ends };
  }

  /** The number of the newest event; 0 where there is none. */
  lastNumber(): number {
    if (!this.hasTables()) return 0;
    return this.sql.exec<{ last: number }>("SELECT last FROM feed").one().last;
  }

  /** Whether no event after this number was dropped. */
  hasAllAfter(number: number): boolean {
    if (!this.hasTables()) return false;
    const { floor, last } = this.sql
      .exec<{ floor: number; last: number }>("SELECT floor, last FROM feed")
      .one();
    return number >= floor && number <= last;
  }

  /** What came after this number, the oldest first. */
  after(number: number, jobId: string | null): FeedEvent[] {
    return this.sql
      .exec<Row>(
        `SELECT number, job_id, kind, text, ends FROM events
         WHERE number > ? AND (? IS NULL OR job_id = ?) ORDER BY number`,
        number,
        jobId,
        jobId,
      )
      .toArray()
      .map((row) => ({
        number: row.number,
        jobId: row.job_id,
        kind: row.kind,
        text: row.text,
        ends: row.ends === 1,
      }));
  }

  /** What was told last of a job's state, and when that was. */
  lastState(jobId: string): { state: FeedState; at: number } | null {
    if (!this.hasTables()) return null;
    const [row] = this.sql
      .exec<{ state: FeedState; at: number }>(
        "SELECT state, at FROM events WHERE job_id = ? AND kind = 'state' ORDER BY number DESC LIMIT 1",
        jobId,
      )
      .toArray();
    return row ?? null;
  }

  /** When the oldest event goes, in milliseconds since 1970. */
  nextPurge(): number {
    const { oldest } = this.sql
      .exec<{ oldest: number | null }>("SELECT min(number) AS oldest FROM events")
      .one();
    return (oldest === null ? Date.now() : oldest / PER_MS) + KEPT_MS;
  }

  /** Drops what is too old. @returns whether anything is left */
  purge(now: number): boolean {
    if (!this.hasTables()) return false;
    this.dropUpTo((now - KEPT_MS) * PER_MS);
    return this.countEvents() > 0;
  }

  private dropProgress(jobId: string): void {
    const dropped = this.sql
      .exec("DELETE FROM events WHERE job_id = ? AND kind = 'progress' RETURNING number", jobId)
      .toArray().length;
    if (this.count !== null) this.count -= dropped;
  }

  private dropOldest(): void {
    const [row] = this.sql
      .exec<{ number: number }>(
        "SELECT number FROM events ORDER BY number DESC LIMIT 1 OFFSET ?",
        KEPT,
      )
      .toArray();
    if (row) this.dropUpTo(row.number);
  }

  private dropUpTo(number: number): void {
    const { dropped } = this.sql
      .exec<{ dropped: number | null }>(
        "SELECT max(number) AS dropped FROM events WHERE number <= ?",
        number,
      )
      .one();
    if (dropped === null) return;
    this.sql.exec("DELETE FROM events WHERE number <= ?", dropped);
    this.sql.exec("UPDATE feed SET floor = ?", dropped);
    this.count = null;
  }

  private countEvents(): number {
    this.count ??= this.sql
      .exec<{ count: number }>("SELECT count(*) AS count FROM events")
      .one().count;
    return this.count;
  }

  /** Nothing is written, not even a table, by who watches a team of which nothing was told. */
  private hasTables(): boolean {
    return this.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'feed'").toArray().length > 0;
  }

  private createTables(now: number): void {
    if (this.hasTables()) return;
    this.sql.exec("CREATE TABLE feed (last INTEGER NOT NULL, floor INTEGER NOT NULL)");
    // What was before, nobody knows: whoever comes with an older number has a gap.
    const start = now * PER_MS - 1;
    this.sql.exec("INSERT INTO feed (last, floor) VALUES (?, ?)", start, start);
    this.sql.exec(
      `CREATE TABLE events (number INTEGER PRIMARY KEY, job_id TEXT NOT NULL, kind TEXT NOT NULL, state TEXT,
       at INTEGER NOT NULL, ends INTEGER NOT NULL, text TEXT NOT NULL)`,
    );
    this.sql.exec("CREATE INDEX events_of_job ON events (job_id, kind, number)");
    this.count = 0;
  }
}
