import { type SseEvent, SseScanner } from "../chat/sse.ts";
import { StreamTally } from "../gateway/stream-tally.ts";
import { ChunkGuard } from "./chunk-guard.ts";
import type { AnswerForm } from "./guard-answer.ts";
import type { Rails } from "./guard-rails.ts";
import type { RailWork } from "./rail-events.ts";

export interface GuardedStreamInput {
  rails: Rails;
  form: AnswerForm & { choices: number };
  body: ReadableStream<Uint8Array>;
  /** What was read of it already. */
  head: readonly Uint8Array[];
  /** Ends the call to the provider. */
  abort: () => void;
  now: () => number;
}

/** A stream that is held to rules. */
export interface GuardedStream {
  body: ReadableStream<Uint8Array>;
  /** What the provider wrote, as far as it was read: what was used, whatever of it went on. */
  consumed: StreamTally;
  /** What was done to it so far. */
  work(): RailWork;
}

const encoder = new TextEncoder();

/**
 * Holds a canonical event stream to the rules on the way out. It reads only when it is read from; an event that changes
 * nothing goes on as it came. Where a rule denies, the choice ends with the reason `content_filter`, and once all have
 * ended, the stream does, with the provider's call.
 */
export function guardStream(input: GuardedStreamInput): GuardedStream {
  const reader = input.body.getReader();
  const consumed = new StreamTally(false, input.form.choices);
  const guard = new ChunkGuard(input.rails, input.form, consumed, input.now);
  const scanner = new SseScanner();
  const head = [...input.head];
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const first = head.shift();
          const { done, value } = first ? { done: false, value: first } : await reader.read();
          const events = done ? scanner.end() : scanner.push(value ?? NOTHING);
          const out = joined(events, guard);
          if (out) controller.enqueue(out);
          if (guard.denied.length > 0 && guard.ended) {
            reader.cancel().catch(() => undefined); // it may have ended, which is as good
            input.abort();
          }
          if (done || (guard.ended && guard.denied.length > 0)) return controller.close();
          if (out) return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  const work = () => ({ masked: guard.masked, denied: guard.denied.length > 0 });
  return { body, consumed, work };
}

const NOTHING = new Uint8Array(0);

/** What goes on for the events of one piece, as one piece; null where that is nothing. */
function joined(events: readonly SseEvent[], guard: ChunkGuard): Uint8Array | null {
  const parts: Uint8Array[] = [];
  for (const event of events) {
    const out = guard.take(event);
    if (out.length > 0) parts.push(typeof out === "string" ? encoder.encode(out) : out);
    if (guard.ended) break;
  }
  if (parts.length === 0) return null;
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
