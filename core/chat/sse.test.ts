import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SseEvent, SseEventTooLarge, SseScanner } from "./sse.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort(
    (a, b) => a - b,
  );
  const edges = [0, ...sorted, bytes.length];
  return edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge));
}

/** All events of a stream that came in these pieces; raw bytes are copied, since they hold only until the next push. */
function scan(pieces: Uint8Array[]): { events: Pick<SseEvent, "data" | "event">[]; raw: string } {
  const scanner = new SseScanner();
  const events: Pick<SseEvent, "data" | "event">[] = [];
  let raw = "";
  for (const piece of pieces) {
    for (const event of scanner.push(piece)) {
      events.push({ data: event.data, event: event.event });
      raw += decoder.decode(event.raw);
    }
  }
  for (const event of scanner.end()) events.push({ data: event.data, event: event.event });
  return { events, raw };
}

const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
const text = fc.string({ unit: "grapheme" }).map((value) => value.replace(/[\r\n\uFEFF]/g, "x"));
const event = fc.record({
  data: fc.array(text, { minLength: 1, maxLength: 3 }),
  name: fc.option(
    text.filter((value) => value !== ""),
    { nil: undefined },
  ),
  comment: fc.boolean(),
});

describe("SseScanner", () => {
  it("finds the same events wherever the bytes are cut, whatever ends their lines", () => {
    fc.assert(
      fc.property(
        fc.array(event),
        lineEnd,
        fc.array(fc.nat()),
        fc.boolean(),
        (events, end, places, bom) => {
          const wire = events
            .map(({ data, name, comment }) =>
              [
                ...(comment ? [": alive"] : []),
                ...(name === undefined ? [] : [`event: ${name}`]),
                ...data.map((line) => `data: ${line}`),
                "",
                "",
              ].join(end),
            )
            .join("");
          const bytes = encoder.encode((bom ? "\uFEFF" : "") + wire);
          const expected = events.map(({ data, name }) => ({ data: data.join("\n"), event: name }));
          const found = scan(cut(bytes, places));
          // A lone BOM before nothing is no event; scan() reports it as one without data.
          expect(found.events.filter((one) => one.data !== null)).toEqual(expected);
          expect(found.raw === decoder.decode(bytes) || end === "\r" || events.length === 0).toBe(
            true,
          );
        },
      ),
    );
  });

  it("keeps every byte of whole events, so that they can be passed on as they came", () => {
    const wire = 'data: {"a":"é😀"}\n\n: comment\n\nevent: x\ndata:1\ndata: 2\n\n';
    for (let place = 0; place <= encoder.encode(wire).length; place++) {
      expect(scan(cut(encoder.encode(wire), [place])).raw).toBe(wire);
    }
  });

  it("gives comments as events without data", () => {
    expect(scan([encoder.encode(": keep-alive\n\n")]).events).toEqual([
      { data: null, event: undefined },
    ]);
  });

  it("returns what is left at the end, completed by a blank line", () => {
    const scanner = new SseScanner();
    expect(scanner.push(encoder.encode("data: 1\n\ndata: [DONE]"))).toHaveLength(1);
    const [left] = scanner.end();
    expect(left?.data).toBe("[DONE]");
    expect(decoder.decode(left?.raw)).toBe("data: [DONE]\n\n");
    expect(scanner.end()).toEqual([]);
  });

  it("splits a burst of 10,000 events that come a byte at a time, without going over old bytes again", () => {
    const scanner = new SseScanner();
    const bytes = encoder.encode("data: x\n\n".repeat(10_000));
    let count = 0;
    for (const byte of bytes) count += scanner.push(Uint8Array.of(byte)).length;
    expect(count).toBe(10_000);
  });

  it("refuses an event over its limit, however it comes", () => {
    const large = encoder.encode(`data: ${"x".repeat(2_000)}`);
    expect(() => new SseScanner(1_000).push(large)).toThrow(SseEventTooLarge);
    const scanner = new SseScanner(1_000);
    expect(() =>
      cut(large, [100, 500, 900, 1_300]).forEach((piece) => scanner.push(piece)),
    ).toThrow(SseEventTooLarge);
  });
});
