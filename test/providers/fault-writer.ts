import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { type Ending, type Fault, LEAK_MARK } from "./fault.ts";

/** What a good answer would be: one in one piece, OpenAI's events, or a stream that is framed already. */
export type Answer = { body: object } | { events: object[] } | { framed: FramedStream };

/** A stream as a protocol writes it. */
export interface FramedStream {
  /** The events as text, each with its blank line. */
  frames: string[];
  /** How many of them come before those with content. */
  opening: number;
  /** The event by which the provider tells of an error in the middle. */
  error: string;
}

/** Headers as providers send them beside the answer, each with something that a gateway must not pass on. */
const BAIT = {
  "set-cookie": `__cf_bm=${LEAK_MARK}; Path=/`,
  "openai-organization": LEAK_MARK,
  "x-request-id": LEAK_MARK,
  "x-ratelimit-remaining-requests": "9999",
  "x-internal-host": LEAK_MARK,
};

/** The endings that leave out what would come after `stopAfter` events. */
const IN_THE_MIDDLE: ReadonlySet<Ending> = new Set([
  "clean_cut",
  "half_event",
  "cut",
  "reset",
  "silence",
  "error_event",
  "error_in_chunk",
  "named_error_event",
]);

/** Writes an answer, with what the fault makes of it. */
export async function writeAnswer(
  response: ServerResponse,
  fault: Fault,
  answer: Answer,
): Promise<void> {
  if (fault.connection === "close") return void response.socket?.destroy();
  if (fault.connection === "reset") return void response.socket?.resetAndDestroy();
  if (fault.connection === "hang") return;
  if (fault.firstByteDelayMs) await pause(fault.firstByteDelayMs);
  const streamed = !("body" in answer) && fault.body === undefined;
  response.writeHead(fault.status ?? 200, {
    ...BAIT,
    "content-type": fault.contentType ?? (streamed ? "text/event-stream" : "application/json"),
    ...(fault.gzip ? { "content-encoding": "gzip" } : {}),
    ...fault.headers,
  });
  const gzip = fault.gzip ? createGzip({ flush: constants.Z_SYNC_FLUSH }) : null;
  gzip?.pipe(response);
  const writer = new FaultWriter(response, gzip ?? response, fault);
  if (fault.endlessBody) return writer.write("{");
  if (streamed && "events" in answer) return writeEvents(writer, fault, answer.events);
  if (streamed && "framed" in answer) return writeFramed(writer, fault, answer.framed);
  const text = fault.body ?? JSON.stringify("body" in answer ? answer.body : {});
  if (!isInTheMiddle(fault)) return writer.finish(text);
  await writer.write(text.slice(0, Math.floor(text.length / 2)));
  await writer.endAs(fault.ending);
}

const isInTheMiddle = ({ ending }: Fault) => ending !== undefined && IN_THE_MIDDLE.has(ending);

async function writeEvents(writer: FaultWriter, fault: Fault, events: object[]): Promise<void> {
  const lineEnd = fault.lineEnd ?? "\n";
  const asEvent = (data: string) => `data: ${data}${lineEnd}${lineEnd}`;
  // The first event only opens the message, so that stopAfter counts events with content.
  const sent = events.slice(0, 1 + (fault.stopAfter ?? events.length));
  for (const [index, event] of sent.entries()) {
    if (writer.gone) return;
    if (index > 0 && fault.eventDelayMs) await pause(fault.eventDelayMs);
    if (fault.comments) await writer.write(`: still here${lineEnd}${lineEnd}`);
    await writer.write(asEvent(JSON.stringify(event)));
  }
  const { ending = "complete" } = fault;
  if (ending === "half_event") {
    const next = asEvent(JSON.stringify(events[sent.length] ?? {}));
    await writer.write(next.slice(0, Math.floor(next.length / 2)));
  }
  const error = { message: `Upstream died at ${LEAK_MARK}`, type: "server_error", code: 500 };
  if (ending === "error_event") await writer.write(asEvent(JSON.stringify({ error })));
  if (ending === "error_in_chunk") {
    const choices = [{ index: 0, delta: { content: "" }, finish_reason: "error" }];
    await writer.write(asEvent(JSON.stringify({ id: "chatcmpl-1", choices, error })));
    await writer.write(asEvent("[DONE]"));
  }
  if (ending === "named_error_event")
    await writer.write(
      `event: error${lineEnd}${asEvent(JSON.stringify({ message: error.message }))}`,
    );
  if (ending === "complete" || ending === "open") await writer.write(asEvent("[DONE]"));
  await writer.endAs(ending);
}

async function writeFramed(
  writer: FaultWriter,
  fault: Fault,
  { frames, opening, error }: FramedStream,
): Promise<void> {
  const sent = frames.slice(0, opening + (fault.stopAfter ?? frames.length));
  for (const [index, frame] of sent.entries()) {
    if (writer.gone) return;
    if (index > 0 && fault.eventDelayMs) await pause(fault.eventDelayMs);
    await writer.write(frame);
  }
  const { ending = "complete" } = fault;
  const next = frames[sent.length] ?? "";
  if (ending === "half_event") await writer.write(next.slice(0, Math.floor(next.length / 2)));
  if (ending === "error_event") await writer.write(error);
  await writer.endAs(ending);
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The answer's body on its way out, in pieces as the fault wants them. */
class FaultWriter {
  private readonly response: ServerResponse;
  private readonly body: Writable;
  private readonly fault: Fault;

  constructor(response: ServerResponse, body: Writable, fault: Fault) {
    this.response = response;
    this.body = body;
    this.fault = fault;
  }

  /** Whether the client has gone away. */
  get gone(): boolean {
    return this.response.destroyed;
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const size = this.fault.splitBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      if (this.gone) return;
      const more = this.body.write(bytes.subarray(at, at + size));
      if (this.fault.splitBytes) await pause(1); // so that each piece leaves on its own
      if (!more && !this.gone) await this.drained();
    }
  }

  /** The rest of the body, and a clean end. */
  async finish(text: string): Promise<void> {
    await this.write(text);
    this.body.end();
  }

  async endAs(ending: Ending | undefined): Promise<void> {
    const { socket } = this.response;
    if (ending === "silence" || ending === "open") return;
    if (ending === "cut" || ending === "reset") {
      await pause(20); // what was written before leaves first
      if (ending === "cut") socket?.destroy();
      else socket?.resetAndDestroy();
      return;
    }
    this.body.end();
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      this.body.once("drain", resolve);
      this.response.once("close", resolve);
    });
  }
}
