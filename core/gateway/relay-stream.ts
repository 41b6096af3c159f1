import { type SseEvent, SseEventTooLarge, SseScanner } from "../chat/sse.ts";
import { DeferredTimer } from "../kernel/deferred-timer.ts";
import { AppError, type ErrorCode } from "../kernel/errors.ts";
import { GatheringReader } from "./gathering-reader.ts";
import type { StreamTally } from "./stream-tally.ts";

export interface RelayInput {
  upstream: ReadableStream<Uint8Array>;
  /** What was read of it already. */
  head?: readonly Uint8Array[];
  client: WritableStream<Uint8Array>;
  tally: StreamTally;
  /** Ends the call to the provider. */
  abort: (reason: "client" | "timeout") => void;
  /** The longest pause between two pieces, in milliseconds. */
  idleMs: number;
  /** When the stream must have ended, milliseconds since 1970. */
  deadlineAt?: number;
  clientSignal: AbortSignal | null;
  /** Writes an error as the stream's last event. */
  errorEvent(error: AppError): string;
  now: () => number;
}

/** How a stream ended. */
export interface RelayOutcome {
  status: 200 | 499 | 502 | 504;
  errorCode: ErrorCode | null;
  /** When the client had its last byte, milliseconds since 1970. */
  endedAt: number;
}

const encoder = new TextEncoder();
const DONE_EVENT = encoder.encode("data: [DONE]\n\n");
/** A client whose write takes longer is slow, in milliseconds: what it has not taken must not pile up here. */
const SLOW_WRITE_MS = 50;
/** How long a provider's connection may take to end after its last event; one that ends is used again. */
const LAST_BYTES_MS = 1_000;

/**
 * Passes a provider's event stream on to the client as it comes, and lets the tally see each event. A stream that the
 * provider cuts short ends with an error event, never as if it were complete; a client that hangs up, or takes nothing
 * for as long as a provider may be silent, ends the provider's call. Never rejects.
 */
export async function relayStream(input: RelayInput): Promise<RelayOutcome> {
  const writer = input.client.getWriter();
  const reader = new GatheringReader(input.upstream, input.now);
  let stopped: "client" | "timeout" | null = null;
  const stop = (reason: "client" | "timeout") => {
    if (stopped) return;
    stopped = reason;
    reader.cancel(); // before the call is ended: what drains the stream would hold its connection
    input.abort(reason);
    if (reason === "client") writer.abort().catch(() => undefined); // ends a write that waits for the client
  };
  const hangUp = () => stop("client");
  writer.closed.catch(hangUp);
  input.clientSignal?.addEventListener("abort", hangUp, { once: true });
  if (input.clientSignal?.aborted) hangUp();
  const idle = watchIdle(input, stop);
  let failure: AppError | null = null;
  try {
    await pump(reader, writer, input, idle);
    // A client that has it all may hang up before the provider does.
    if (input.tally.sawDone) stopped = null;
  } catch (error) {
    if (error instanceof HungUp) hangUp();
    else if (stopped === null) failure = streamFailure(error);
  } finally {
    idle.end();
    reader.end();
    input.clientSignal?.removeEventListener("abort", hangUp);
  }
  const outcome = await finish(writer, input, stopped, failure);
  if (outcome.status === 200) await letEnd(reader, input);
  else stop("timeout"); // whatever is left of the call is of no use
  return outcome;
}

/** Waits for the end of a call that has said all it had to say, so that its connection can be used again. */
async function letEnd(reader: GatheringReader, input: RelayInput): Promise<void> {
  const timer = setTimeout(() => input.abort("timeout"), LAST_BYTES_MS);
  try {
    while ((await reader.read()) !== null);
  } catch {
    // It failed, or was ended here: the answer was whole before.
  } finally {
    clearTimeout(timer);
  }
}

const CUT_SENTENCE =
  "The provider cut the answer short. What came before it is not the whole answer; try again.";
const FAILED_SENTENCE =
  "The provider reported an error in the middle of its answer. What came before it is not the whole answer; try again.";
const SILENT_SENTENCE = "The provider stopped in the middle of its answer. Try again.";

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

/** Passes events on until there are no more, or one of them is the last: `[DONE]`, or an error. */
async function pump(
  reader: GatheringReader,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  input: RelayInput,
  idle: IdleWatch,
): Promise<void> {
  const scanner = new SseScanner();
  const { tally, head = [] } = input;
  const slow = new DeferredTimer(() => reader.stopGathering());
  for (let index = 0; ; index++) {
    idle.waitFor("provider");
    const piece = head[index] ?? (await reader.read());
    const events = piece === null ? scanner.end().filter(isWhole) : scanner.push(piece);
    const bytes = keptBytes(events, input);
    if (bytes) {
      idle.waitFor("client");
      slow.at(Date.now() + SLOW_WRITE_MS);
      await writer.write(bytes).catch((cause: unknown) => {
        slow.end();
        throw new HungUp("", { cause });
      });
      slow.pause();
    }
    if (piece !== null && !tally.sawDone && !tally.failed) continue;
    slow.end();
    return;
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
function keptBytes(events: SseEvent[], { tally, now }: RelayInput): Uint8Array | null {
  const kept: SseEvent[] = [];
  for (const event of events) {
    const verdict = event.data === null ? "keep" : tally.see(event.data, now(), event.event);
    if (verdict === "keep") kept.push(event);
    if (tally.sawDone || tally.failed) break;
  }
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
    return { status: 499, errorCode: "client_closed", endedAt: input.now() };
  }
  const { tally } = input;
  const error = tally.complete && !tally.failed ? failure : (failure ?? endOf(tally, stopped));
  if (error) await writer.write(encoder.encode(input.errorEvent(error))).catch(() => undefined);
  else if (!tally.sawDone) await writer.write(DONE_EVENT).catch(() => undefined);
  await writer.close().catch(() => undefined);
  const endedAt = input.now();
  if (!error) return { status: 200, errorCode: null, endedAt };
  return { status: error.code === "provider_timeout" ? 504 : 502, errorCode: error.code, endedAt };
}

/** Why a stream ended before it was complete. */
function endOf(tally: StreamTally, stopped: "client" | "timeout" | null): AppError {
  if (tally.failed) return new AppError("provider_error", { message: FAILED_SENTENCE });
  if (stopped === "timeout") return new AppError("provider_timeout", { message: SILENT_SENTENCE });
  return new AppError("stream_cut", { message: CUT_SENTENCE });
}

interface IdleWatch {
  /** Says whom the stream waits for from now on. */
  waitFor(whom: "provider" | "client"): void;
  end(): void;
}

/** Calls back when nothing moved for a time, or the time for all is up. One timer for the whole stream, not one for each piece. */
function watchIdle(
  { idleMs, deadlineAt = Infinity, now }: RelayInput,
  stop: (reason: "client" | "timeout") => void,
): IdleWatch {
  let waitingFor: "provider" | "client" = "provider";
  const timer = new DeferredTimer(() => stop(waitingFor === "client" ? "client" : "timeout"));
  const waitFor = (whom: "provider" | "client") => {
    waitingFor = whom;
    timer.at(Math.min(now() + idleMs, deadlineAt));
  };
  waitFor("provider");
  return { waitFor, end: () => timer.end() };
}
