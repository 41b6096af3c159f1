import { describe, expect, test } from "vitest";
import { readReply, REPLY_LIMIT, ReplyReader } from "./turn-reply.ts";

const encoder = new TextEncoder();
const chunk = (choice: object) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`;

describe("a completion", () => {
  const reply = (message: object, rest: object = { finish_reason: "stop" }) =>
    readReply(JSON.stringify({ choices: [{ message, ...rest }] }));

  test("gives its text and why it ended", () => {
    expect(reply({ content: "Hi" })).toEqual({ text: "Hi", finishReason: "stop", calls: [] });
    expect(reply({ content: "Hi" }, { finish_reason: "length" }).finishReason).toBe("length");
    expect(reply({ content: "Hi" }, {}).finishReason).toBe("stop");
    expect(reply({ content: [{ type: "text", text: "a" }, { text: "b" }] }).text).toBe("ab");
    expect(reply({ content: null, refusal: "No." }).text).toBe("No.");
  });

  test("that says nothing, or is none, says nothing", () => {
    for (const body of [
      "",
      "nothing",
      "[]",
      "null",
      "{}",
      '{"choices":[]}',
      '{"choices":[{}]}',
      '{"choices":[{"message":{"content":5}}]}',
      '{"choices":"x"}',
    ])
      expect(readReply(body)).toEqual({ text: "", finishReason: "stop", calls: [] });
  });

  test("is cut off at a limit", () => {
    const long = reply({ content: "x".repeat(REPLY_LIMIT + 1) });
    expect(long.text).toHaveLength(REPLY_LIMIT);
    expect(long.finishReason).toBe("length");
  });
});

describe("a stream", () => {
  test("is read alike however its bytes are cut", () => {
    const stream = encoder.encode(
      `: comment\n\n${chunk({ delta: { role: "assistant", content: "" } })}${chunk({ delta: { content: "Grüß " } })}${chunk({ delta: { content: "👋🏽 سلام" } })}${chunk({ delta: {}, finish_reason: "stop" })}data: {"choices":[],"usage":{}}\n\ndata: [DONE]\n\n`,
    );
    for (const size of [1, 2, 3, 7, 64, stream.length]) {
      const reader = new ReplyReader();
      let text = "";
      for (let start = 0; start < stream.length; start += size)
        text += reader.take(stream.subarray(start, start + size));
      text += reader.take(null);
      expect(text).toBe("Grüß 👋🏽 سلام");
      expect(reader.reply).toEqual({ text, finishReason: "stop", calls: [] });
    }
  });

  const calls = (...parts: object[]) => {
    const reader = new ReplyReader();
    for (const part of parts) reader.take(encoder.encode(chunk({ delta: { tool_calls: [part] } })));
    return reader.reply.calls;
  };

  test("gathers calls of tools from their parts, side by side too", () => {
    expect(
      calls(
        { index: 0, id: "a", function: { name: "vin_decode", arguments: "" } },
        { index: 1, id: "b", function: { name: "text_count" } },
        { index: 0, function: { arguments: '{"vin"' } },
        { index: 1, function: { arguments: "{}" } },
        { index: 0, function: { arguments: ':"1"}' }, extra_content: { google: "signed" } },
      ),
    ).toEqual([
      { id: "a", name: "vin_decode", arguments: '{"vin":"1"}', extra: { google: "signed" } },
      { id: "b", name: "text_count", arguments: "{}" },
    ]);
  });

  test("reads calls as careless servers send them", () => {
    const whole = { id: "a", function: { name: "f", arguments: { vin: "1" } } };
    expect(calls(whole)).toEqual([{ id: "a", name: "f", arguments: '{"vin":"1"}' }]);
    // Without an index, a part with an id begins a call.
    const parts = [
      { ...whole, function: { name: "f", arguments: "{" } },
      { function: { arguments: "}" } },
    ];
    expect(calls(...parts, { id: "b", function: { name: "g" } })).toEqual([
      { id: "a", name: "f", arguments: "{}" },
      { id: "b", name: "g", arguments: "" },
    ]);
    // Ids that are missing or the same are told apart, and a call without a name is none.
    const same = [0, 1, 2].map((index) => ({
      index,
      id: index < 2 ? "x" : null,
      function: { name: "f" },
    }));
    const ids = calls(...same, { index: 3, id: "y" }).map(({ id }) => id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
    expect(calls({ index: 0 }, {}, { index: 1, id: 5 })).toEqual([]);
  });

  test("bounds what it reads of calls", () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      index,
      id: `${index}`,
      function: { name: "f" },
    }));
    expect(calls(...many).length).toBeLessThan(100);
    const long = Array.from({ length: 30 }, () => ({
      index: 0,
      id: "a",
      function: { name: "f", arguments: "x".repeat(20_000) },
    }));
    expect(calls(...long)[0]?.arguments.length).toBeLessThan(300_000);
  });

  test("of nonsense adds nothing, and one without end is cut off", () => {
    const reader = new ReplyReader();
    const nonsense = [
      "{",
      "[]",
      "null",
      "5",
      '{"choices":{}}',
      '{"choices":[null]}',
      '{"choices":[{"delta":{"content":{}}}]}',
    ];
    for (const data of nonsense) expect(reader.take(encoder.encode(`data: ${data}\n\n`))).toBe("");
    const endless = encoder.encode(chunk({ delta: { content: "x".repeat(900_000) } }));
    while (!reader.full) reader.take(endless);
    expect(reader.reply.text).toHaveLength(REPLY_LIMIT);
    expect(reader.reply.finishReason).toBe("length");
  });
});
