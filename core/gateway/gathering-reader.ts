/** The most that one read returns, in bytes. */
const READ_BYTES = 64 * 1024;
/** A read that has to wait less than this for its bytes, in milliseconds, tells of a provider that sends in a burst. */
const BURST_MS = 2;
/** How long a burst is left to gather before the next read, in milliseconds: longer, the more streams run at once. */
const GATHER_PER_STREAM_MS = 0.25;
const LONGEST_GATHER_MS = 40;

/** Streams that this isolate relays at the moment. A plain number, so it may be shared by its requests. */
let running = 0;

/**
 * Reads a provider's stream in as few pieces as possible without holding back what comes one by one: each read wakes
 * JavaScript, and that is most of what a relayed stream costs (docs/adr/0007). A drain that runs without JavaScript
 * keeps the bytes coming; while a provider sends faster than it is read, reads pause for a moment and then return
 * many events at once. One whose events are further apart than two milliseconds is never held back.
 */
export class GatheringReader {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array> | ReadableStreamBYOBReader;
  private readonly stopDrain = new AbortController();
  private readonly now: () => number;
  private buffer: ArrayBuffer | null = null;
  private burst = false;
  private ended = false;

  constructor(stream: ReadableStream<Uint8Array>, now: () => number) {
    this.reader = isNative(stream) ? this.drain(stream) : stream.getReader();
    this.now = now;
    running++;
  }

  /** The next bytes, which hold until the next read; null at the end. Rejects where the stream was cut. */
  async read(): Promise<Uint8Array | null> {
    if (this.burst) await pause(Math.min(LONGEST_GATHER_MS, running * GATHER_PER_STREAM_MS));
    const asked = this.now();
    const { done, value } = await this.readInto();
    this.burst = this.now() - asked < BURST_MS && !this.stopDrain.signal.aborted;
    return done || value === undefined ? null : value;
  }

  /** From now on the provider is read no faster than its client takes the bytes. */
  stopGathering(): void {
    this.burst = false;
    this.stopDrain.abort();
  }

  /** Gives the stream up. */
  cancel(): void {
    this.stopGathering();
    this.reader.cancel().catch(() => undefined); // it may have failed already, which ends reads as well
  }

  /** Says that this stream is over as far as others have to share the machine with it. */
  end(): void {
    if (!this.ended) running--;
    this.ended = true;
  }

  private drain(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader {
    const [drained, read] = stream.tee();
    // Nobody reads what it compresses: it is the platform's only sink that takes a stream without waking JavaScript.
    const sink = new CompressionStream("deflate-raw").writable as WritableStream<Uint8Array>; // it takes any bytes
    drained.pipeTo(sink, { signal: this.stopDrain.signal }).catch(() => undefined); // the reader sees what failed
    return read.getReader({ mode: "byob" });
  }

  private async readInto(): Promise<{ done: boolean; value?: Uint8Array | undefined }> {
    if (this.reader instanceof ReadableStreamDefaultReader) return this.reader.read();
    const buffer = this.buffer ?? new ArrayBuffer(READ_BYTES);
    const result = await this.reader.read(new Uint8Array(buffer));
    this.buffer = result.value?.buffer ?? null;
    return result;
  }
}

/**
 * Whether the platform made the stream, which then fills a large buffer by itself. One that JavaScript makes wakes it
 * for each piece anyhow.
 */
function isNative(stream: ReadableStream<Uint8Array>): boolean {
  try {
    stream.getReader({ mode: "byob" }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(1, ms)));
}
