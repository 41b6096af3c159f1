import { type SseEvent, SseEventTooLarge, SseScanner } from "../chat/sse.ts";
import { AppError, type ErrorCode } from "../kernel/errors.ts";
import type { StreamTally } from "./stream-tally.ts";

export interface RelayInput {
  upstream: ReadableStream<Uint8Array>;
  client: WritableStream<Uint8Array>;
  tally: StreamTally;
  /** Ends the call to the provider. */
  abort(reason: "client" | "timeout"): void;
  /** The longest pause between two pieces, in milliseconds. */
  idleMs: number;
  clientSignal: AbortSignal | null;
  /** Writes an error as the stream's last event. */
  errorEvent(error: AppError): string;
  now(): number;
}

/** How a stream ended. */
export interface RelayOutcome {
  status: 200 | 499 | 502 | 504;
  errorCode: ErrorCode | null;
}

const encoder = new TextEncoder();
const DONE_EVENT = encoder.encode("data: [DONE]\n\n");

/**
 * Passes a provider's event stream on to the client as it comes, and lets the tally see each event. A stream that the
 * provider cuts short ends with an error event, never as if it were complete; a client that hangs up ends the
 * provider's call. Never rejects.
 */
export async function relayStream(input: RelayInput): Promise<RelayOutcome> {
  const writer = input.client.getWriter();
  const reader = input.upstream.getReader();
  let stopped: "client" | "timeout" | null = null;
  const stop = (reason: "client" | "timeout") => {
    if (stopped) return;
    stopped = reason;
    input.abort(reason);
    reader.cancel().catch(() => undefined); // it may have failed already, which ends the loop as well
  };
  const hangUp = () => stop("client");
  writer.closed.catch(hangUp);
  input.clientSignal?.addEventListener("abort", hangUp, { once: true });
  if (input.clientSignal?.aborted) hangUp();
  const idle = watchIdle(input.idleMs, input.now, () => stop("timeout"));
  let failure: AppError | null = null;
  try {
    await pump(reader, writer, input, idle.seen);
  } catch (error) {
    if (error instanceof HungUp) hangUp();
    else failure = streamFailure(error);
  } finally {
    idle.end();
    input.clientSignal?.removeEventListener("abort", hangUp);
  }
  return finish(writer, input, stopped, failure);
}

const CUT_SENTENCE =
  "The provider cut the answer short. What came before it is not the whole answer; try again.";

function streamFailure(error: unknown): AppError {
  if (error instanceof SseEventTooLarge) {
    return new AppError("provider_error", {
      message: "The provider sent an event that is too large.",
      cause: error,
    });
  }
  return new AppError("stream_cut", { message: CUT_SENTENCE, cause: error });
}

/** The client does not take the bytes any more. */
class HungUp extends Error {}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  input: RelayInput,
  seen: () => void,
): Promise<void> {
  const scanner = new SseScanner();
  for (;;) {
    const { done, value } = await reader.read();
    seen();
    const events = done ? scanner.end().filter(isWhole) : scanner.push(value);
    const bytes = keptBytes(events, input);
    if (bytes)
      await writer
        .write(bytes)
        .catch((cause: unknown) => Promise.reject(new HungUp("", { cause })));
    if (done) return;
  }
}

/** Whether an event that the stream ended on is all there: what a cut left of one must not reach the client. */
function isWhole({ data }: SseEvent): boolean {
  if (data === null || data === "[DONE]") return data !== null;
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}

/** The events that go on to the client, as they came; without a copy where all of them do. */
function keptBytes(events: SseEvent[], input: RelayInput): Uint8Array | null {
  const kept = events.filter(
    ({ data }) => data === null || input.tally.see(data, input.now()) === "keep",
  );
  const first = kept[0]?.raw;
  const last = kept.at(-1)?.raw;
  if (!first || !last) return null;
  if (kept.length === events.length && first.buffer === last.buffer) {
    return new Uint8Array(
      first.buffer,
      first.byteOffset,
      last.byteOffset + last.length - first.byteOffset,
    );
  }
  const joined = new Uint8Array(kept.reduce((size, { raw }) => size + raw.length, 0));
  let offset = 0;
  for (const { raw } of kept) {
    joined.set(raw, offset);
    offset += raw.length;
  }
  return joined;
}

async function finish(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  input: RelayInput,
  stopped: "client" | "timeout" | null,
  failure: AppError | null,
): Promise<RelayOutcome> {
  if (stopped === "client") {
    await writer.abort().catch(() => undefined); // the client is gone: there is nobody to tell
    return { status: 499, errorCode: "client_closed" };
  }
  const { tally } = input;
  if (tally.failed) {
    await writer.close().catch(() => undefined);
    return { status: 502, errorCode: "provider_error" };
  }
  if (tally.complete && !failure) {
    if (!tally.sawDone) await writer.write(DONE_EVENT).catch(() => undefined);
    await writer.close().catch(() => undefined);
    return { status: 200, errorCode: null };
  }
  const error =
    stopped === "timeout"
      ? new AppError("provider_timeout", {
          message: "The provider stopped in the middle of its answer. Try again.",
        })
      : (failure ?? new AppError("stream_cut", { message: CUT_SENTENCE }));
  await writer.write(encoder.encode(input.errorEvent(error))).catch(() => undefined);
  await writer.close().catch(() => undefined);
  return { status: error.code === "provider_timeout" ? 504 : 502, errorCode: error.code };
}

/** Calls back when nothing was seen for a time. One timer for the whole stream, not one for each piece. */
function watchIdle(idleMs: number, now: () => number, onIdle: () => void) {
  let last = now();
  let timer: ReturnType<typeof setTimeout>;
  const check = () => {
    const left = last + idleMs - now();
    if (left <= 0) onIdle();
    else timer = setTimeout(check, left);
  };
  timer = setTimeout(check, idleMs);
  return {
    seen: () => {
      last = now();
    },
    end: () => clearTimeout(timer),
  };
}
