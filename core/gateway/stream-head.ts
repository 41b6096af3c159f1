import { SseScanner } from "../chat/sse.ts";
import { DeferredTimer } from "../kernel/deferred-timer.ts";
import { AppError } from "../kernel/errors.ts";
import type { Route } from "../providers/catalog.ts";
import { callError, type ProviderAnswer } from "./call-provider.ts";
import { FINISHED, TOKEN } from "./chunk-marks.ts";

/** What comes before the first token is held up to this size, in bytes; beyond it the stream goes on to the client. */
const HEAD_LIMIT = 256 * 1024;
/** How much of the first piece is searched before it is cut into events, in bytes. */
const GLANCE = 4_096;

export interface HeadInput {
  answer: ProviderAnswer;
  body: ReadableStream<Uint8Array>;
  route: Route;
  /** When the attempt began, and when the whole request must have ended; milliseconds since 1970. */
  startedAt: number;
  deadlineAt: number;
  now: () => number;
}

/**
 * Reads a stream up to its first token: until then nothing has reached the client, and another target can still take
 * over. The body is left unlocked, behind the pieces that were read.
 * @returns the pieces, as they came
 * @throws AppError `provider_error`, `stream_cut`, `provider_timeout`, `client_closed`
 */
export async function readHead(input: HeadInput): Promise<Uint8Array[]> {
  const { answer, body, route } = input;
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  const watch = watchSilence(input, () => {
    answer.call.abort("timeout");
    reader.cancel().catch(() => undefined); // the call has failed with it
  });
  try {
    await readToToken(reader, pieces, () => watch.heard());
    return pieces;
  } catch (error) {
    const failure =
      error instanceof AppError
        ? error
        : answer.call.aborted === null
          ? cutShort(route, error)
          : callError(answer.call.aborted, route, error);
    answer.call.abort("timeout"); // whatever is left of the call is of no use
    throw failure;
  } finally {
    watch.end();
    reader.releaseLock();
  }
}

async function readToToken(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  pieces: Uint8Array[],
  heard: () => void,
): Promise<void> {
  let scanner: SseScanner | null = null;
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    heard();
    if (done) {
      if ((scanner?.end() ?? []).some(({ data }) => data !== null && isWholeAnswer(data))) return;
      throw new Error("It ended before its first token");
    }
    pieces.push(value);
    size += value.length;
    if (scanner === null && beginsPlainly(value)) return;
    scanner ??= new SseScanner();
    for (const { data, event } of scanner.push(value)) {
      if (data === null) continue;
      if (event === "error" || hasError(data)) throw reportedError();
      if (TOKEN.test(data) || FINISHED.test(data)) return;
      if (data === "[DONE]") throw new Error("It ended before its first token");
    }
    if (size > HEAD_LIMIT) return;
  }
}

const decoder = new TextDecoder();

/** The usual case, seen without cutting the piece into events: a whole event with a token, and no error anywhere. */
function beginsPlainly(piece: Uint8Array): boolean {
  const text = decoder.decode(piece.length > GLANCE ? piece.subarray(0, GLANCE) : piece);
  const token = text.search(TOKEN);
  return token !== -1 && text.includes("\n\n", token) && !text.includes("error");
}

/** The last event of a stream may lack its blank line. */
const isWholeAnswer = (data: string) => FINISHED.test(data) && parsed(data) !== null;

const hasError = (data: string) => data.includes('"error"') && Boolean(parsed(data)?.["error"]);

function parsed(data: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null; // an object, as checked
  } catch {
    return null;
  }
}

const reportedError = () =>
  new AppError("provider_error", {
    message: "The provider reported an error in place of an answer. Try again.",
  });

const cutShort = (route: Route, cause: unknown) =>
  new AppError("stream_cut", {
    message: `The provider of ${route.model} cut its answer short before it began. Try again.`,
    cause,
  });

/** Ends the call when nothing comes for too long. One timer, however many pieces there are. */
function watchSilence({ route, startedAt, deadlineAt, now }: HeadInput, stop: () => void) {
  const { firstTokenMs, betweenTokensMs } = route.patience;
  const latest = Math.min(deadlineAt, firstTokenMs === null ? Infinity : startedAt + firstTokenMs);
  const timer = new DeferredTimer(stop);
  const heard = () => timer.at(Math.min(now() + betweenTokensMs, latest));
  heard();
  return { heard, end: () => timer.end() };
}
