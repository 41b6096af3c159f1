import { describe, expect, it } from "vitest";
import { encodeRequest } from "../../../providers/kinds/anthropic/encode-request.ts";
import { Translation } from "../translate-stream.ts";
import { MessageEvents } from "./message-events.ts";
import { readMessagesRequest } from "./read-request.ts";
import { REASONING_SIGNATURE } from "./reasoning-signature.ts";
import { writeMessage } from "./write-message.ts";

const frame = { requestId: "req_01", model: "ours", estimateInput: () => 1 };
const thought = (words: string, signature = "c2ln") => ({
  type: "thinking",
  thinking: words,
  signature,
});

/** A whole answer of Anthropic's kind, with what guard rails may have made of its reasoning. */
function whole(reasoning: string, kept: object, message: object = { content: "Yes." }): string {
  const said = { role: "assistant", reasoning_content: reasoning, ...message };
  const choice = {
    message: { ...said, extra_content: { anthropic: kept } },
    finish_reason: "stop",
  };
  return JSON.stringify({ model: "ours", choices: [{ index: 0, ...choice }] });
}

const contentOf = (completion: string) =>
  (JSON.parse(writeMessage(completion, frame)) as { content: { type: string }[] }).content; // as just written

describe("signed thoughts in a whole message", () => {
  it("come as they were signed", () => {
    const completion = whole("Ann is here.", { thinking_blocks: [thought("Ann is here.")] });
    expect(contentOf(completion)[0]).toEqual(thought("Ann is here."));
  });

  it("come without the signature, and as they were masked, where guard rails changed them", () => {
    const completion = whole("[NAME] is here.", { thinking_blocks: [thought("Ann is here.")] });
    expect(contentOf(completion)[0]).toEqual(thought("[NAME] is here.", REASONING_SIGNATURE));
    expect(writeMessage(completion, frame)).not.toContain("Ann");
  });

  it("stand where they stood among texts and calls, and go back to Anthropic there", () => {
    const call = (id: string) => ({
      id,
      type: "function",
      function: { name: "now", arguments: "{}" },
    });
    const kept = {
      thinking_blocks: [thought("One."), thought("Two.", "c2xn")],
      order: ["thought", "call", "thought", 4, "call"],
    };
    const message = { content: "Yes.", tool_calls: [call("a"), call("b")] };
    const content = contentOf(whole("One.Two.", kept, message));
    const types = content.map(({ type }) => type);
    expect(types).toEqual(["thinking", "tool_use", "thinking", "text", "tool_use"]);
    const results = ["a", "b"].map((id) => ({
      type: "tool_result",
      tool_use_id: id,
      content: "9",
    }));
    const { raw } = readMessagesRequest(
      JSON.stringify({
        model: "ours",
        max_tokens: 100,
        tools: [{ name: "now", input_schema: { type: "object" } }],
        messages: [
          { role: "user", content: "When?" },
          { role: "assistant", content },
          { role: "user", content: results },
        ],
      }),
    );
    const encoded = encodeRequest({
      raw,
      stream: false,
      model: "ours",
      targetModel: "claude-opus-5-5",
      maxOutputTokens: null,
      requestId: "req_01",
      now: 1,
    });
    const [, assistant] = encoded["messages"] as { content: unknown[] }[]; // as encodeMessages makes them
    expect(assistant?.content).toMatchObject([
      thought("One."),
      { type: "tool_use", id: "a" },
      thought("Two.", "c2xn"),
      { type: "text", text: "Yes." },
      { type: "tool_use", id: "b" },
    ]);
  });
});

describe("signed thoughts in a stream", () => {
  const chunk = (delta: object, finish: string | null = null) => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    return `data: ${JSON.stringify({ model: "ours", choices })}\n\n`;
  };
  const streamed = (...deltas: object[]) => {
    const translation = new Translation(new MessageEvents(frame));
    const chunks = deltas.map((delta) => chunk(delta)).join("");
    const bytes = new TextEncoder().encode(`${chunks}${chunk({}, "stop")}data: [DONE]\n\n`);
    return translation.push(bytes) + translation.finish();
  };
  const signed = (block: object) => ({ extra_content: { anthropic: { thinking_block: block } } });

  it("end with their own signature, one after the other, redacted ones too", () => {
    const events = streamed(
      { reasoning_content: "One." },
      signed(thought("One.")),
      signed({ type: "redacted_thinking", data: "EmwK" }),
      { reasoning_content: "Two." },
      signed(thought("Two.", "c2xn")),
      { content: "Yes." },
    );
    const starts = [
      ...events.matchAll(/"content_block_start","index":(\d),"content_block":\{"type":"(\w+)"/g),
    ];
    expect(starts.map(([, index, type]) => `${index} ${type}`)).toEqual([
      "0 thinking",
      "1 redacted_thinking",
      "2 thinking",
      "3 text",
    ]);
    const signatures = [...events.matchAll(/"signature_delta","signature":"(\w+)"/g)];
    expect(signatures.map(([, signature]) => signature)).toEqual(["c2ln", "c2xn"]);
    expect(events).toContain("EmwK");
  });

  it("end with ours where guard rails changed what they say", () => {
    const events = streamed({ reasoning_content: "[NAME]" }, signed(thought("Ann")), {
      content: "Yes.",
    });
    expect(events).toContain(`"signature":"${REASONING_SIGNATURE}"`);
    expect(events).not.toMatch(/Ann|c2ln/);
  });
});
