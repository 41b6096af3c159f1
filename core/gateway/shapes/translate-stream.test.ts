import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageEvents } from "./anthropic-messages/message-events.ts";
import { ResponseEvents } from "./responses/response-events.ts";
import { type EventWriter, Translation } from "./translate-stream.ts";

const encoder = new TextEncoder();
const event = (delta: object, finish: string | null = null, more: object = {}) =>
  `data: ${JSON.stringify({ model: "m", choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`;
const call = (index: number, id: string | undefined, name: string | undefined, text: string) =>
  event({ tool_calls: [{ index, id, function: { name, arguments: text } }] });

/** Thinking, text of several bytes a letter, two calls, and the usage: all that a stream can have. */
const WHOLE = encoder.encode(
  event({ role: "assistant", content: "" }) +
    event({ reasoning_content: "hm" }) +
    event({ content: "سلام " }) +
    ": still here\n\n" +
    event({ content: "👋🏽" }) +
    call(0, "call_a", "weather", "") +
    call(0, undefined, undefined, '{"city":') +
    call(0, undefined, undefined, '"Tehran"}') +
    call(1, "call_b", "clock", "{}") +
    event({}, "tool_calls") +
    `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":5}}}\n\n` +
    "data: [DONE]\n\n",
);

const common = { estimateInput: () => 1 };
const WRITERS: [string, () => EventWriter, RegExp][] = [
  [
    "Anthropic's messages",
    () => new MessageEvents({ ...common, requestId: "req_01", model: "m" }),
    /message_stop/,
  ],
  [
    "OpenAI's responses",
    () =>
      new ResponseEvents({
        ...common,
        rest: "01",
        previousId: null,
        keep: null,
        createdAt: 1,
        body: { model: "m" },
      }),
    /response\.(completed|incomplete)/,
  ],
];

async function translate(pieces: Uint8Array[], writer: EventWriter): Promise<string> {
  const translation = new Translation(writer);
  let written = "";
  for (const piece of pieces) if (!translation.abandoned) written += translation.push(piece);
  written += translation.finish();
  return translation.takesLeave() ? written + ((await writer.afterEnd?.()) ?? "") : written;
}

function cutAt(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const cuts = [0, ...places.toSorted((one, other) => one - other), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.slice(cuts[index], end));
}

describe.each(WRITERS)("a stream as %s", (_name, writer, complete) => {
  const places = fc.array(fc.nat(WHOLE.length), { maxLength: 30 });

  it("says the same wherever its bytes are cut", async () => {
    const expected = await translate([WHOLE], writer());
    expect(expected).toMatch(complete);
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        expect(await translate(cutAt(WHOLE, cuts), writer())).toBe(expected);
      }),
    );
  });

  it("never looks whole when it was cut, at whichever byte", async () => {
    for (let length = 0; length < WHOLE.length - 2; length++) {
      const written = await translate([WHOLE.slice(0, length)], writer());
      expect(written).not.toMatch(complete);
      expect(written).toContain("event: error\n");
    }
  });

  it("ends with an error, and nothing after it, where the provider sends what is no JSON", async () => {
    const broken = `${event({ content: "a" })}data: {oops\n\n${event({ content: "b" }, "stop")}data: [DONE]\n\n`;
    const written = await translate([encoder.encode(broken)], writer());
    expect(written).not.toMatch(complete);
    expect(written).not.toContain('"b"');
  });

  it("breaks off where the calls of two tools are mixed up", async () => {
    const mixed =
      call(0, "a", "x", "{") + call(1, "b", "y", "{") + call(0, undefined, undefined, "}");
    const written = await translate([encoder.encode(`${mixed}data: [DONE]\n\n`)], writer());
    expect(written).toContain("event: error\n");
    expect(written).not.toMatch(complete);
  });
});
