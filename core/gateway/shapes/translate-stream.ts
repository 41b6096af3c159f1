import { type SseEvent, SseScanner } from "../../chat/sse.ts";
import { ERROR_CODES, type ErrorCode } from "../../kernel/errors.ts";
import { type CanonicalPart, readChunk } from "./canonical.ts";

/** An error in the middle of a stream, as the relay tells it. */
export interface StreamFault {
  code: ErrorCode;
  message: string;
}

/** Writes a client's own events; each call returns what is to be sent, which may be nothing. */
export interface EventWriter {
  chunk(part: CanonicalPart): string;
  /** The answer is whole. */
  end(): string;
  /** The last events, where they have to wait for something; asked for once, after `end`. */
  afterEnd?(): Promise<string>;
  /** The answer broke off. What was written before must not look whole. */
  fail(fault: StreamFault): string;
}

const encoder = new TextEncoder();

const CUT: StreamFault = {
  code: "stream_cut",
  message: "The answer was cut short. What came before it is not the whole answer; try again.",
};
const MALFORMED: StreamFault = {
  code: "provider_error",
  message:
    "The provider sent something in the middle of its answer that cannot be read. Try again.",
};

/** An error as the last event of the canonical stream, for the translation to read again. */
export const faultEvent = ({ code, message }: StreamFault) =>
  `data: ${JSON.stringify({ error: { code, message } })}\n\n`;

/**
 * Turns a canonical stream (chat completion chunks, ended by `[DONE]` or an error) into a client's own events, as they
 * come. Nothing is read before the client asks for more, and a client that goes away cancels the canonical stream.
 */
export function translateStream(
  canonical: ReadableStream<Uint8Array>,
  writer: EventWriter,
): ReadableStream<Uint8Array> {
  const reader = canonical.getReader();
  const translation = new Translation(writer);
  let cancelled = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read().catch(() => ENDED);
          if (cancelled) return;
          let events = done ? translation.finish() : translation.push(value);
          if (translation.takesLeave()) events += (await writer.afterEnd?.()) ?? "";
          if (cancelled) return;
          if (events !== "") controller.enqueue(encoder.encode(events));
          if (translation.abandoned) await reader.cancel().catch(() => undefined); // it may have failed already
          if (done || translation.abandoned) return controller.close();
          if (events !== "") return;
        }
      },
      cancel(reason) {
        cancelled = true;
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A pipe that its writer has aborted ends like one that was cut. */
const ENDED = { done: true, value: undefined } as const;

/** The translation of one stream, apart from where its bytes come from. */
export class Translation {
  /** Nothing more may follow: what comes is not to be read any more. */
  abandoned = false;
  private ended = false;
  private whole = false;
  private readonly scanner = new SseScanner();
  private readonly writer: EventWriter;

  constructor(writer: EventWriter) {
    this.writer = writer;
  }

  /** Takes the next piece of bytes, cut anywhere. */
  push(piece: Uint8Array): string {
    let events: SseEvent[];
    try {
      events = this.scanner.push(piece);
    } catch {
      return this.abandon(); // an event over the scanner's limit
    }
    let written = "";
    for (const { data } of events) if (data !== null) written += this.take(data);
    return written;
  }

  /** Whether the answer has just been written to its end; true once. */
  takesLeave(): boolean {
    const { whole } = this;
    this.whole = false;
    return whole;
  }

  /** The canonical stream is over: a stream without an ending of its own was cut. */
  finish(): string {
    if (this.ended) return "";
    this.ended = true;
    return this.writer.fail(CUT);
  }

  private take(data: string): string {
    if (this.ended) return "";
    if (data === "[DONE]") {
      this.ended = true;
      this.whole = true;
      return this.writer.end();
    }
    const chunk = parse(data);
    if (chunk === null) return this.abandon();
    const fault = faultOf(chunk["error"]);
    if (fault === null) return this.writer.chunk(readChunk(chunk));
    this.ended = true;
    return this.writer.fail(fault);
  }

  private abandon(): string {
    if (this.ended) return "";
    this.ended = true;
    this.abandoned = true;
    return this.writer.fail(MALFORMED);
  }
}

function parse(data: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null; // an object, as checked
  } catch {
    return null;
  }
}

function faultOf(error: unknown): StreamFault | null {
  if (error === undefined || error === null || error === false) return null;
  const { code, message } = error as { code?: unknown; message?: unknown }; // read field by field, as our own event has it
  return {
    code: ERROR_CODES.find((known) => known === code) ?? MALFORMED.code,
    message: typeof message === "string" ? message : MALFORMED.message,
  };
}
