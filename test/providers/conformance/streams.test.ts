import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseScanner } from "#core/chat/sse.ts";
import { type Fields, listOf, objectOf } from "#core/chat/loose-json.ts";
import type { KindName, KindRequest } from "#core/providers/kinds/kind.ts";
import { kindOf } from "#core/providers/kinds/kinds.ts";
import { translateBody } from "#core/providers/kinds/translate-body.ts";
import { RECORDED_STREAMS, type RecordedStream } from "./recorded-streams.ts";

const request: KindRequest = {
  raw: { model: "ours", stream: true, messages: [{ role: "user", content: "Hello" }] },
  stream: true,
  model: "ours",
  targetModel: "theirs",
  maxOutputTokens: null,
  requestId: "req_1",
  now: 1_700_000_000_000,
};

/** The canonical text of a stream that came in these pieces, and then ended without an error. */
async function translate(kind: KindName, pieces: Uint8Array[]): Promise<string> {
  const make = kindOf(kind).chat(request).translateStream;
  if (!make) throw new Error(`${kind} translates no streams`);
  const upstream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  return new Response(translateBody(upstream, make())).text();
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const eventsOf = (text: string): string[] =>
  new SseScanner().push(bytesOf(text)).flatMap(({ data }) => (data === null ? [] : [data]));

/** What a client gathers from the chunks. */
function gather(text: string): Omit<RecordedStream, "kind" | "scenario" | "sse"> {
  const chunks = eventsOf(text)
    .filter((data) => data !== "[DONE]")
    .map((data) => objectOf(JSON.parse(data)));
  const said = { text: "", reasoning: "", finish: "" };
  const calls: { name: string; arguments: string }[] = [];
  let usage: Fields = {};
  for (const chunk of chunks) {
    expect(chunk["model"]).toBe("ours");
    if (chunk["usage"]) usage = objectOf(chunk["usage"]);
    const choice = objectOf(listOf(chunk["choices"])[0]);
    const delta = objectOf(choice["delta"]);
    said.text += String(delta["content"] ?? "");
    said.reasoning += String(delta["reasoning_content"] ?? "");
    said.finish += String(choice["finish_reason"] ?? "");
    for (const value of listOf(delta["tool_calls"])) {
      const call = objectOf(value);
      const { name, arguments: input } = objectOf(call["function"]);
      const known = (calls[Number(call["index"])] ??= { name: "", arguments: "" });
      known.name += String(name ?? "");
      known.arguments += String(input ?? "");
    }
  }
  const cached = Number(objectOf(usage["prompt_tokens_details"])["cached_tokens"] ?? 0);
  const { prompt_tokens, completion_tokens } = usage;
  return {
    ...said,
    calls,
    usage: {
      prompt_tokens: Number(prompt_tokens),
      completion_tokens: Number(completion_tokens),
      cached,
    },
  };
}

describe.each(RECORDED_STREAMS)("a stream of $kind: $scenario", ({ kind, sse, ...expected }) => {
  const { scenario: _scenario, ...said } = expected;

  it("says in canonical chunks what it said, and ends with [DONE]", async () => {
    const text = await translate(kind, [bytesOf(sse)]);
    expect(gather(text)).toEqual(said);
    expect(eventsOf(text).at(-1)).toBe("[DONE]");
  });

  it("is the same wherever its bytes were cut", async () => {
    const bytes = bytesOf(sse);
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

  it("is not complete when it ends at any byte before its last event is there", async () => {
    const bytes = bytesOf(sse.trimEnd());
    for (let end = 0; end < bytes.length; end++) {
      const text = await translate(kind, [bytes.slice(0, end)]).catch(() => "");
      expect(text, `cut after ${end} bytes`).not.toContain("[DONE]");
      expect(text, `cut after ${end} bytes`).not.toMatch(/"finish_reason":"/);
    }
  });
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
