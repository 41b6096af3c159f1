import type { FeedEvent } from "./feed-log.ts";

const encoder = new TextEncoder();
const HEARTBEAT = encoder.encode(": \n\n");

/** What may wait for a watcher who reads slowly, in bytes: beyond, the connection ends, and the watcher comes again. */
const BACKLOG_LIMIT = 1024 * 1024;

/** One open connection of a watcher. */
export class FeedListener {
  readonly body: ReadableStream<Uint8Array>;
  private readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  private readonly jobId: string | null;
  private readonly onEnd: () => void;
  private backlog = 0;
  private ended = false;

  /**
   * @param jobId the only job that is watched; null for all of the team
   * @param onEnd called once, whoever ends it
   */
  constructor(jobId: string | null, onEnd: () => void) {
    const pipe = new IdentityTransformStream();
    this.body = pipe.readable;
    this.writer = pipe.writable.getWriter();
    this.jobId = jobId;
    this.onEnd = onEnd;
    this.writer.closed.catch(() => this.end());
  }

  /** Sends an event, where it is one of those that are watched; after the one that ends the job comes nothing more. */
  take(event: FeedEvent): void {
    if (this.ended || (this.jobId !== null && this.jobId !== event.jobId)) return;
    this.send(encoder.encode(`id: ${event.number}\nevent: ${event.kind}\ndata: ${event.text}\n\n`));
    if (this.jobId === null || !event.ends) return;
    this.writer.close().catch(() => undefined); // the watcher is gone, and needs no end
    this.end();
  }

  /** Tells that the connection lives. */
  beat(): void {
    this.send(HEARTBEAT);
  }

  private send(bytes: Uint8Array): void {
    if (this.ended) return;
    this.backlog += bytes.length;
    if (this.backlog > BACKLOG_LIMIT) {
      this.writer.abort(new Error("The watcher reads too slowly")).catch(() => undefined); // it is as gone as it can be
      this.end();
      return;
    }
    this.writer.write(bytes).then(
      () => (this.backlog -= bytes.length),
      () => this.end(),
    );
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd();
  }
}
