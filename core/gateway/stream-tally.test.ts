import { describe, expect, it } from "vitest";
import { StreamTally, writtenText } from "./stream-tally.ts";

const chunk = (delta: object, more: object = {}, finish: string | null = null) =>
  JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }], ...more });
const USAGE = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };
const usageChunk = JSON.stringify({ choices: [], usage: USAGE });

function tallyOf(events: string[], options: { drop?: boolean; choices?: number } = {}) {
  const tally = new StreamTally(options.drop ?? true, options.choices);
  const verdicts = events.map((event, index) => tally.see(event, 1_000 + index));
  return { tally, verdicts, ...tally.tokens(() => 77) };
}

describe("what a stream tells of its tokens", () => {
  it("is the provider's own count, which is dropped where nobody asked for it", () => {
    const events = [chunk({ content: "a" }), chunk({}, {}, "stop"), usageChunk, "[DONE]"];
    const { verdicts, tokens, estimated } = tallyOf(events);
    expect(verdicts).toEqual(["keep", "keep", "drop", "keep"]);
    expect({ tokens, estimated }).toEqual({ tokens: { input: 10, output: 3 }, estimated: false });
    expect(tallyOf(events, { drop: false }).verdicts).toEqual(["keep", "keep", "keep", "keep"]);
  });

  it("is the last of several counts, and a chunk with content is kept with its count", () => {
    const first = chunk({ content: "a" }, { usage: { ...USAGE, completion_tokens: 1 } });
    const { verdicts, tokens } = tallyOf([first, chunk({}, { usage: USAGE }, "stop")]);
    expect(verdicts).toEqual(["keep", "keep"]);
    expect(tokens).toEqual({ input: 10, output: 3 });
  });

  it.each([null, {}, { prompt_tokens: null }, { prompt_tokens: -1 }, { prompt_tokens: 1.5 }, "12"])(
    "is estimated where the count is none: %j",
    (usage) => {
      const text = "Some words that were written before the end came.";
      const { tokens, estimated } = tallyOf([
        chunk({ content: text }),
        chunk({}, { usage }, "stop"),
      ]);
      expect(estimated).toBe(true);
      expect(tokens.input).toBe(77);
      expect(tokens.output).toBeGreaterThan(5);
      expect(tokens.output).toBeLessThan(20);
    },
  );

  it("is estimated with reasoning and calls of tools in it", () => {
    const call = { function: { name: "weather", arguments: '{"city":"Tehran"}' } };
    const some = tallyOf([chunk({ tool_calls: [call] })]).tokens.output;
    const more = tallyOf([chunk({ tool_calls: [call] }), chunk({ reasoning_content: "because" })]);
    expect(some).toBeGreaterThan(3);
    expect(more.tokens.output).toBeGreaterThan(some);
  });

  it("is about right for streams too long to keep", () => {
    const event = chunk({ content: "word ".repeat(2_000) });
    const { tokens } = tallyOf(Array.from({ length: 400 }, () => event));
    expect(tokens.output).toBeGreaterThan(300_000);
  });
});

describe("whether a stream is complete", () => {
  it.each<[string, string[], boolean]>([
    ["[DONE]", ["[DONE]"], true],
    ["a reason for its end", [chunk({}, {}, "length")], true],
    ["an empty reason", [chunk({ content: "a" }, {}, "")], false],
    ["no reason", [chunk({ content: "a" })], false],
    ["text that looks like a reason", [chunk({ content: '"finish_reason":"stop"' })], false],
    ["nothing", [], false],
  ])("%s", (_name, events, complete) => {
    expect(tallyOf(events).tally.complete).toBe(complete);
  });

  it("needs the end of every choice", () => {
    const end = (index: number) =>
      JSON.stringify({ choices: [{ index, delta: {}, finish_reason: "stop" }] });
    expect(tallyOf([end(0), end(0)], { choices: 2 }).tally.complete).toBe(false);
    expect(tallyOf([end(1), end(0)], { choices: 2 }).tally.complete).toBe(true);
  });
});

describe("whether the provider failed", () => {
  it.each<[string, string, string | undefined, boolean]>([
    ["an error alone", '{"error":{"message":"x"}}', undefined, true],
    [
      "an error beside other fields",
      '{"id":"1","choices":[],"error":{"code":500}}',
      undefined,
      true,
    ],
    ["an error that is a text", '{"error":"overloaded"}', undefined, true],
    ["an event named error", '{"message":"x"}', "error", true],
    ["an error that is null", chunk({ content: "a" }, { error: null }), undefined, false],
    ["a null error in front", `{"error":null,"choices":[]}`, undefined, false],
    ["an error deeper down", chunk({ content: "a", error: { code: 1 } }), undefined, false],
    ["text about an error", chunk({ content: '{"error":{"message":"x"}}' }), undefined, false],
    ["no JSON", '{"error"', undefined, false],
  ])("%s", (_name, data, event, failed) => {
    const tally = new StreamTally(true);
    expect(tally.see(data, 0, event)).toBe(failed ? "fail" : "keep");
    expect(tally.failed).toBe(failed);
  });
});

describe("when the first token came", () => {
  it("is with the first event that has some, not with the one that opens the message", () => {
    const { tally } = tallyOf([chunk({ role: "assistant", content: "" }), chunk({ content: "a" })]);
    expect(tally.firstTokenAt).toBe(1_001);
  });

  it.each([{ tool_calls: [{ index: 0 }] }, { reasoning_content: "hm" }, { refusal: "no" }])(
    "may be another token than text: %j",
    (delta) => expect(tallyOf([chunk(delta)]).tally.firstTokenAt).toBe(1_000),
  );
});

describe("what a message has in it", () => {
  it("is nothing for what is no message", () => {
    for (const value of [null, undefined, "text", 7, [], { content: [{ type: "text" }] }])
      expect(writtenText(value)).toBe("");
  });
});
