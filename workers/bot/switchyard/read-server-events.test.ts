import { expect, it } from "vitest";
import { readServerEvents } from "./read-server-events.ts";

function streamOf(chunks: Uint8Array[], onCancel = () => {}): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const next = chunks.shift();
      if (next) controller.enqueue(next);
      else controller.close();
    },
    cancel: onCancel,
  });
}

const WIRE = new TextEncoder().encode(
  ': hello\n\nevent: delta\ndata: {"text":"سلام 👋"}\n\nevent: delta\r\ndata: a\r\ndata: b\r\n\r\nevent: done\ndata: {}',
);

it("reads the same events wherever the stream is cut, in mid-character too", async () => {
  for (let cut = 0; cut <= WIRE.length; cut++) {
    const events = [];
    for await (const event of readServerEvents(
      streamOf([WIRE.slice(0, cut), WIRE.slice(cut)].filter((one) => one.length > 0)),
    ))
      events.push(event);
    expect(events.map((one) => one.data).join("|"), `cut at ${cut}`).toBe(
      '{"text":"سلام 👋"}|a\nb|{}',
    );
  }
});

it("cancels the stream when the reader stops", async () => {
  let cancelled = false;
  for await (const _ of readServerEvents(streamOf([WIRE, WIRE], () => (cancelled = true)))) break;
  expect(cancelled).toBe(true);
});
