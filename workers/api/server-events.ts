const encoder = new TextEncoder();

/**
 * An answer of server-sent events. Events are queued for a client that reads slowly, so that it holds nobody up; what
 * is sent must be bounded by the sender.
 */
export class ServerEvents {
  readonly body: ReadableStream<Uint8Array>;
  private readonly writer: WritableStreamDefaultWriter<Uint8Array>;

  /** @param onHangUp called when the client is gone, unless the stream was closed before */
  constructor(onHangUp: () => void) {
    const pipe = new IdentityTransformStream();
    this.body = pipe.readable;
    this.writer = pipe.writable.getWriter();
    this.writer.closed.catch(onHangUp);
  }

  send(event: string, data: unknown): void {
    const bytes = encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    this.writer.write(bytes).catch(() => undefined); // the client is gone, which onHangUp tells
  }

  /** Ends when the client has everything, or is gone. */
  async close(): Promise<void> {
    await this.writer.close().catch(() => undefined); // as above
  }
}
