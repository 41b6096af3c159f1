import { DurableObject } from "cloudflare:workers";
import { jobEventText } from "#core/jobs/job-event-text.ts";
import { type FeedStart, isOver, type JobEvent } from "#core/jobs/job-feed.ts";
import { FeedListener } from "./job-feed/feed-listener.ts";
import { type FeedEvent, FeedLog } from "./job-feed/feed-log.ts";

/** How many may watch one team's jobs at once. */
const LISTENERS_LIMIT = 1_000;
/** How many requests may wait for the end of a job. */
const WAITING_LIMIT = 1_000;
/** A comment goes out so often, so that nobody in between takes a quiet connection for a dead one. */
const HEARTBEAT_MS = 15_000;
/** How far the clocks of those who tell the same end may be apart. */
const CLOCKS_MS = 60_000;

interface Waiting {
  jobId: string;
  tell(): void;
}

/**
 * What happens to a team's jobs, for whoever watches: one object for each team, named by its id. It keeps the latest
 * events, so that a watcher who comes again misses none. It is no truth about any job: that is in Postgres.
 */
export class JobFeed extends DurableObject {
  private readonly log = new FeedLog(this.ctx.storage.sql);
  private readonly listeners = new Set<FeedListener>();
  private readonly waiting = new Set<Waiting>();
  private heart: ReturnType<typeof setInterval> | null = null;

  /** @see JobFeed of core */
  async publish(events: readonly JobEvent[]): Promise<void> {
    const stored = this.ctx.storage.transactionSync(() => this.keep(events));
    if (stored.length === 0) return;
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(this.log.nextPurge());
    // What a watcher has seen must have its number for good, also when this object dies now.
    await this.ctx.storage.sync();
    for (const event of stored) this.tell(event);
  }

  /** Opens a feed; `FeedStart` is the body. */
  override async fetch(request: Request): Promise<Response> {
    const start = (await request.json()) as FeedStart; // only Workers of ours reach this object, by the client beside it
    if (this.listeners.size >= LISTENERS_LIMIT) return new Response(null, { status: 503 });
    // Nothing is awaited from here on: no event can come in between.
    const complete = start.after !== null && this.log.hasAllAfter(start.after);
    const position = complete ? (start.after ?? 0) : this.log.lastNumber();
    const listener = new FeedListener(start.jobId, () => this.remove(listener));
    this.listeners.add(listener);
    this.heart ??= setInterval(() => this.beat(), HEARTBEAT_MS);
    if (complete) for (const event of this.log.after(position, start.jobId)) listener.take(event);
    return new Response(listener.body, {
      headers: { "x-complete": String(complete), "x-position": String(position) },
    });
  }

  /** Ends when the job is over, or after this time with false. */
  async awaitEnd(jobId: string, milliseconds: number): Promise<boolean> {
    const last = this.log.lastState(jobId);
    if (last && isOver(last.state)) return true;
    if (this.waiting.size >= WAITING_LIMIT) return false;
    return new Promise((resolve) => {
      const waiting: Waiting = { jobId, tell: () => end(true) };
      const end = (over: boolean) => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        resolve(over);
      };
      const timer = setTimeout(() => end(false), milliseconds);
      this.waiting.add(waiting);
    });
  }

  override async alarm(): Promise<void> {
    if (this.log.purge(Date.now())) await this.ctx.storage.setAlarm(this.log.nextPurge());
    else await this.ctx.storage.deleteAll();
  }

  private keep(events: readonly JobEvent[]): FeedEvent[] {
    return events.flatMap((event) => {
      if (event.kind === "state" && event.again) {
        const last = this.log.lastState(event.jobId);
        const margin = last?.state === event.state ? CLOCKS_MS : 0;
        if (last && last.at >= event.at - margin) return [];
      }
      return [this.log.add(event, jobEventText(event), Date.now())];
    });
  }

  private tell(event: FeedEvent): void {
    for (const listener of this.listeners) listener.take(event);
    if (!event.ends) return;
    for (const waiting of this.waiting) if (waiting.jobId === event.jobId) waiting.tell();
  }

  private beat(): void {
    for (const listener of this.listeners) listener.beat();
  }

  private remove(listener: FeedListener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0 || this.heart === null) return;
    clearInterval(this.heart);
    this.heart = null;
  }
}
