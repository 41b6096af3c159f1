import { describe, expect, test } from "vitest";
import { readReply, REPLY_LIMIT, ReplyReader } from "./turn-reply.ts";

const encoder = new TextEncoder();
const chunk = (choice: object) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`;

describe("a completion", () => {
  const reply = (message: object, rest: object = { finish_reason: "stop" }) =>
    readReply(JSON.stringify({ choices: [{ message, ...rest }] }));

  test("gives its text and why it ended", () => {
    expect(reply({ content: "Hi" })).toEqual({ text: "Hi", finishReason: "stop" });
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
      expect(readReply(body)).toEqual({ text: "", finishReason: "stop" });
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
        text += reader.take(stream.subarray(start, start + size)).text;
      text += reader.take(null).text;
      expect(text).toBe("Grüß 👋🏽 سلام");
      expect(reader.reply).toEqual({ text, finishReason: "stop" });
    }
  });

  test("tells which tools the model calls", () => {
    const reader = new ReplyReader();
    const call = (fields: object) =>
      chunk({ delta: { tool_calls: [{ index: 0, function: fields }] } });
    const bytes = call({ name: "decode_vin", arguments: "" }) + call({ arguments: '{"vin"' });
    expect(reader.take(encoder.encode(bytes))).toEqual({ text: "", tools: ["decode_vin"] });
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
    for (const data of nonsense)
      expect(reader.take(encoder.encode(`data: ${data}\n\n`))).toEqual({ text: "", tools: [] });
    const endless = encoder.encode(chunk({ delta: { content: "x".repeat(900_000) } }));
    while (!reader.full) reader.take(endless);
    expect(reader.reply.text).toHaveLength(REPLY_LIMIT);
    expect(reader.reply.finishReason).toBe("length");
  });
});
