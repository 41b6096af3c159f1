import { type SseEvent, SseScanner } from "../../chat/sse.ts";
import type { StreamTranslator } from "./kind.ts";

const encoder = new TextEncoder();

/**
 * A comment in place of an event that says nothing canonical. Whoever waits for the next token sees that the provider is
 * at work: a model may think for minutes, and show nothing of it but pings.
 */
const ALIVE = ":\n\n";

/**
 * A provider's event stream in the canonical form. It reads only when it is read from, and stops the provider's
 * stream when it is cancelled.
 */
export function translateBody(
  body: ReadableStream<Uint8Array>,
  translator: StreamTranslator,
): ReadableStream<Uint8Array> {
  const scanner = new SseScanner();
  const reader = body.getReader();
  const translated = (events: SseEvent[]) =>
    events.map((event) => (event.data === null ? "" : translator.push(event)) || ALIVE).join("");
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read();
          const text = done
            ? translated(scanner.end().filter(isWhole)) + translator.end()
            : translated(scanner.push(value));
          if (text !== "") controller.enqueue(encoder.encode(text));
          if (done) controller.close();
          if (done || text !== "") return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Whether an event that the stream ended on is all there. */
function isWhole({ data }: SseEvent): boolean {
  try {
    return data === "[DONE]" || (data !== null && JSON.parse(data) !== undefined);
  } catch {
    return false;
  }
}
