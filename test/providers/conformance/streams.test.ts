import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseScanner } from "#core/chat/sse.ts";
import { objectOf } from "#core/chat/loose-json.ts";
import type { KindName } from "#core/providers/kinds/kind.ts";
import { kindOf } from "#core/providers/kinds/kinds.ts";
import { translateBody } from "#core/providers/kinds/translate-body.ts";
import { Gathered, kindRequest, type Said, saidIn } from "./gathered.ts";
import { RECORDINGS } from "./recordings/recordings.ts";

/** The canonical text of a stream that came in these pieces, and then ended without an error. */
async function translate(kind: KindName, pieces: Uint8Array[]): Promise<string> {
  const make = kindOf(kind).chat(kindRequest({ stream: true })).translateStream;
  const upstream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  return new Response(make ? translateBody(upstream, make()) : upstream).text();
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const eventsOf = (text: string): string[] =>
  new SseScanner().push(bytesOf(text)).flatMap(({ data }) => (data === null ? [] : [data]));

/** What a client gathers from the chunks. */
function gather(text: string): Said {
  const gathered = new Gathered();
  for (const data of eventsOf(text).filter((event) => event !== "[DONE]")) {
    const chunk = objectOf(JSON.parse(data));
    expect(chunk["model"]).toBe("ours");
    gathered.add(chunk, "delta");
  }
  return gathered.said;
}

const STREAMS = RECORDINGS.flatMap(({ kind, streams }) =>
  streams.map((recording) => ({ kind, scenario: recording.scenario, recording })),
);

describe.each(STREAMS)("a stream of $kind: $scenario", ({ kind, recording }) => {
  const bytes = bytesOf(recording.wire);

  it("says in canonical chunks what it said, and ends with [DONE]", async () => {
    const text = await translate(kind, [bytes]);
    expect(gather(text)).toEqual(saidIn(recording));
    expect(eventsOf(text).at(-1)).toBe("[DONE]");
  });

  it("is the same wherever its bytes were cut", async () => {
    const whole = await translate(kind, [bytes]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
        const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
        expect(await translate(kind, pieces)).toBe(whole);
      }),
      { numRuns: 60 },
    );
  });

  const untouched = kindOf(kind).chat(kindRequest({ stream: true })).translateStream === null;
  it.skipIf(untouched)(
    "is not complete when it ends at any byte before its last event is there",
    async () => {
      const trimmed = bytesOf(recording.wire.trimEnd());
      for (let end = 0; end < trimmed.length; end++) {
        const text = await translate(kind, [trimmed.slice(0, end)]).catch(() => "");
        expect(text, `cut after ${end} bytes`).not.toContain("[DONE]");
        expect(text, `cut after ${end} bytes`).not.toMatch(/"finish_reason":"/);
      }
    },
  );
});

describe("an error in the middle of a stream", () => {
  const overloaded = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  const unavailable = {
    error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" },
  };
  it.each([
    ["anthropic", `event: error\ndata: ${JSON.stringify(overloaded)}\n\n`, "Overloaded"],
    ["gemini", `data: ${JSON.stringify(unavailable)}\n\n`, "The model is overloaded."],
    ["workers_ai", 'data: {"errors":[{"code":3040,"message":"No capacity"}]}\n\n', "No capacity"],
  ] as const)("of %s becomes a canonical error, without an end", async (kind, sse, message) => {
    const events = eventsOf(await translate(kind, [bytesOf(sse)]));
    expect(events.map((data) => objectOf(JSON.parse(data))["error"])).toMatchObject([{ message }]);
  });
});
