import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileGuardRails, type Rails } from "./guard-rails.ts";
import { guardAnswer } from "./guard-answer.ts";
import { guardStream } from "./guard-stream.ts";
import { guardRail, type GuardRail } from "./rules.ts";
import type { z } from "zod";

const railsOf = (...rules: z.input<typeof guardRail>[]): Rails => {
  const parsed: GuardRail[] = rules.map((rule) => guardRail.parse(rule));
  const { output } = compileGuardRails(parsed, "digest");
  if (!output) throw new Error("There is no rule for answers");
  return output;
};
const MASKS = railsOf({ name: "pii", pii: ["email", "card"], action: "mask" });
const DENIES = railsOf(
  { name: "falcon", phrases: ["Project Falcon", "پروژه شاهین"], action: "deny" },
  { name: "pii", pii: ["email"], action: "mask" },
);

type Delta = Record<string, unknown>;
const chunk = (delta: Delta, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
const FINISH = { ...chunk({}), choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const stream = (...chunks: object[]) => `${chunks.map(event).join("")}data: [DONE]\n\n`;
const says = (...texts: string[]) =>
  stream(chunk({ role: "assistant" }), ...texts.map((content) => chunk({ content })), FINISH);

const encoder = new TextEncoder();

/** Sends the bytes in pieces that end where the cuts say; `head` pieces were read before. */
async function pass(
  rails: Rails,
  bytes: Uint8Array,
  { cuts = [], head = 0, choices = 1, jsonContent = false }: PassOptions = {},
) {
  const places = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.length);
  places.sort((one, other) => one - other);
  const pieces = [0, ...places].map((from, index) => bytes.slice(from, places[index]));
  let left = pieces.length - head;
  let aborted = false;
  const rest = pieces.slice(head);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = rest.shift();
      left = rest.length;
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
  const abort = () => {
    aborted = true;
  };
  const form = { choices, jsonContent };
  const guarded = guardStream({
    rails,
    form,
    body,
    head: pieces.slice(0, head),
    abort,
    now: Date.now,
  });
  const text = await new Response(guarded.body).text();
  return { text, aborted, left, consumed: guarded.consumed, work: guarded.work() };
}
interface PassOptions {
  cuts?: number[];
  head?: number;
  choices?: number;
  jsonContent?: boolean;
}

interface Told {
  content: string;
  reasoning: string;
  refusal: string;
  calls: Record<number, string>;
  reason: string | null;
}

/** What a client makes of a stream, for each choice. */
function told(text: string): Told[] {
  const all: Told[] = [];
  for (const part of text.split("\n\n")) {
    const data = part.replace(/^data: /, "");
    if (data === "" || data === "[DONE]") continue;
    for (const { index, delta, finish_reason: reason } of JSON.parse(data).choices ?? []) {
      const own = (all[index] ??= {
        content: "",
        reasoning: "",
        refusal: "",
        calls: {},
        reason: null,
      });
      own.content += delta.content ?? "";
      own.reasoning += delta.reasoning_content ?? "";
      own.refusal += delta.refusal ?? "";
      for (const call of delta.tool_calls ?? [])
        own.calls[call.index] = (own.calls[call.index] ?? "") + (call.function?.arguments ?? "");
      expect(own.reason).toBeNull(); // nothing follows the end of a choice
      own.reason = reason ?? own.reason;
    }
  }
  return all;
}

const contentOf = (text: string) => told(text)[0]?.content;

describe("a stream without a match", () => {
  it("comes through byte for byte, whatever stands between its events and wherever it is cut", async () => {
    const odd = [
      ": keep-alive\n\n",
      "event: message\r\ndata: ",
      JSON.stringify(chunk({ content: "Grüße 👋🏽 سلام. " })),
      "\r\n\r\n",
      event(
        chunk({
          content: "",
          tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: '{"a": 1,' } }],
        }),
      ),
      event(chunk({ tool_calls: [{ index: 0, function: { arguments: ' "b":"\\u00e9x ' } }] })),
      event(chunk({ tool_calls: [{ index: 0, function: { arguments: '", "c": [true]}' } }] })),
      event(FINISH),
      event({ id: "x", choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }),
      "data: [DONE]\n\n",
    ].join("");
    const rails = railsOf({ name: "falcon", phrases: ["Project Falcon"], action: "deny" });
    const bytes = encoder.encode(odd);
    for (let cut = 0; cut < bytes.length; cut++)
      expect((await pass(rails, bytes, { cuts: [cut] })).text).toBe(odd);
  });

  it("is not held back: each event is there before the next one is sent", async () => {
    const texts = ["No", "thing", " to", " hide,", " Pro", "ject", "ors", " on", "."];
    const sent: string[] = [];
    let place = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const content = texts[place++];
          if (content === undefined) {
            controller.enqueue(encoder.encode(event(FINISH)));
            return controller.close();
          }
          sent.push(content);
          controller.enqueue(encoder.encode(event(chunk({ content }))));
        },
      },
      { highWaterMark: 0 },
    );
    const form = { choices: 1, jsonContent: false };
    const guarded = guardStream({ rails: DENIES, form, body, head: [], abort() {}, now: Date.now });
    const reader = guarded.body.getReader();
    const arrivals: [number, string | undefined][] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      arrivals.push([sent.length, contentOf(new TextDecoder().decode(value))]);
    }
    // Only words that may be the beginning of an address or of the phrase wait for what follows them.
    expect(arrivals.map(([, content]) => content).join("")).toBe(texts.join(""));
    const plain = railsOf({ name: "falcon", phrases: ["Project Falcon"], action: "deny" });
    const lone = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(encoder.encode(event(chunk({ content: "Hello" })))),
    });
    const first = guardStream({
      rails: plain,
      form,
      body: lone,
      head: [],
      abort() {},
      now: Date.now,
    });
    const { value } = await first.body.getReader().read(); // the provider never sends a second one
    expect(contentOf(new TextDecoder().decode(value))).toBe("Hello");
  });
});

describe("a stream with a match", () => {
  const secret =
    "Mail ada.lovelace@example.org 👋 or پست@مثال.ایران now, card 4111 1111 1111 1111!";
  const masked = "Mail [EMAIL] 👋 or [EMAIL] now, card [CARD]!";

  it("is masked the same, cut at every byte of the wire", async () => {
    const whole = says(secret.slice(0, 11), secret.slice(11, 40), secret.slice(40));
    const bytes = encoder.encode(whole);
    for (let cut = 0; cut < bytes.length; cut++) {
      const { text } = await pass(MASKS, bytes, { cuts: [cut, cut + 1], head: cut % 2 });
      expect(contentOf(text)).toBe(masked);
      expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    }
  });

  it("is masked the same, whatever deltas its text is split into", async () => {
    for (let first = 0; first <= secret.length; first++) {
      const texts = [
        secret.slice(0, first),
        secret.slice(first, first + 1),
        secret.slice(first + 1),
      ];
      expect(contentOf((await pass(MASKS, encoder.encode(says(...texts)))).text)).toBe(masked);
    }
    expect(contentOf((await pass(MASKS, encoder.encode(says(...secret)))).text)).toBe(masked);
    const units = secret.split(""); // emoji in two halves
    expect(contentOf((await pass(MASKS, encoder.encode(says(...units)))).text)).toBe(masked);
  });

  it("ends before what is denied: nothing of it goes out, the call is ended, and its reason is content_filter", async () => {
    for (const phrase of ["PROJECT falcon", "پروژه شاهین"]) {
      const text = `It is ${phrase}, a secret`;
      for (let first = 0; first <= text.length; first++) {
        const whole = says(text.slice(0, first), text.slice(first), "x".repeat(50));
        const bytes = encoder.encode(whole);
        const cuts = Array.from({ length: bytes.length }, (_, at) => at);
        const passed = await pass(DENIES, bytes, { cuts });
        expect(told(passed.text)).toMatchObject([{ content: "It is ", reason: "content_filter" }]);
        expect(passed.text.endsWith("data: [DONE]\n\n")).toBe(true);
        expect(passed.aborted).toBe(true);
        expect(passed.left).toBeGreaterThan(0);
        const { tokens, estimated } = passed.consumed.tokens(() => 7);
        expect([tokens.input, estimated]).toEqual([7, true]);
        expect(tokens.output).toBeGreaterThan(2);
      }
    }
  });

  it("says what it held before the reason of its end, and drops the log probabilities that spell it out", async () => {
    const logprobs = { content: [{ token: "ada@exa", logprob: 0 }] };
    const whole = stream(
      chunk({ content: "to ada@exa" }, { logprobs }),
      chunk({ content: "mple.org" }),
      { ...FINISH, usage: { prompt_tokens: 3, completion_tokens: 4 } },
    );
    const { text, consumed } = await pass(MASKS, encoder.encode(whole));
    expect(text).not.toContain("ada@");
    expect(told(text)).toMatchObject([{ content: "to [EMAIL]", reason: "stop" }]);
    expect(text).toContain('"usage":{"prompt_tokens":3');
    expect(consumed.tokens(() => 0)).toEqual({ tokens: { input: 3, output: 4 }, estimated: false });
  });

  it("flushes what it held where a provider gives no reason for the end", async () => {
    const whole = stream(chunk({ content: "by ada@example.org" }));
    expect(contentOf((await pass(MASKS, encoder.encode(whole))).text)).toBe("by [EMAIL]");
  });

  it("lets nothing out that it held when the provider cuts it", async () => {
    const cut =
      event(chunk({ content: "It is Project" })) +
      'data: {"choices":[{"index":0,"delta":{"content":" Fal';
    expect(contentOf((await pass(DENIES, encoder.encode(cut))).text)).toBe("It is ");
  });
});

describe("choices and fields", () => {
  it("are followed each by itself; a denied choice ends, the others go on", async () => {
    const at = (index: number, delta: Delta, reason: string | null = null) => ({
      ...chunk({}),
      choices: [{ index, delta, finish_reason: reason }],
    });
    const whole = stream(
      at(0, { content: "Project " }),
      at(1, { content: "Falcon " }),
      at(0, { content: "Falcon" }),
      at(1, { content: "flies" }),
      at(0, { content: " more" }),
      at(0, {}, "stop"),
      at(1, {}, "stop"),
    );
    const passed = await pass(DENIES, encoder.encode(whole), { choices: 2 });
    expect(told(passed.text)).toMatchObject([
      { content: "", reason: "content_filter" },
      { content: "Falcon flies", reason: "stop" },
    ]);
  });

  it("reasoning, refusals and parts of content are read too", async () => {
    const whole = stream(
      chunk({ reasoning_content: "ask ada@example" }),
      chunk({ reasoning_content: ".org", refusal: "not ada@example.org" }),
      chunk({ content: [{ type: "text", text: "for ada@" }] }),
      chunk({ content: [{ type: "text", text: "example.org" }] }),
      FINISH,
    );
    const { text } = await pass(MASKS, encoder.encode(whole));
    expect(text).not.toMatch(/ada@|example/);
    expect(told(text)).toMatchObject([{ reasoning: "ask [EMAIL]", refusal: "not [EMAIL]" }]);
    expect(text).toContain('[{"index":0,"delta":{"content":[{"type":"text","text":"[EMAIL]"}]}');
  });

  it("arguments of tools stay JSON, whatever hides a match in them and wherever they are split", async () => {
    const args =
      '{"to": "ada\\u0040example.org", "n": 4111111111111111, "cc": ["x\\n\\ud83d\\udc4b \\"ada@example.org\\""], "id": -12.5e3, "ok": true}';
    const expected = { to: "[EMAIL]", n: "[CARD]", cc: ['x\n👋 "[EMAIL]"'], id: -12500, ok: true };
    const call = (text: string, more = {}) =>
      chunk({ tool_calls: [{ index: 1, ...more, function: { arguments: text } }] });
    for (let at = 0; at <= args.length; at++) {
      const whole = stream(
        call("", { id: "call_1", type: "function" }),
        call(args.slice(0, at)),
        call(args.slice(at)),
        FINISH,
      );
      const { text } = await pass(MASKS, encoder.encode(whole));
      expect(JSON.parse(told(text)[0]?.calls[1] ?? "")).toEqual(expected);
      expect(text).toContain('"id":"call_1"');
    }
    const split = stream(...[...args].map((each) => call(each)), FINISH);
    const { text } = await pass(MASKS, encoder.encode(split));
    expect(JSON.parse(told(text)[0]?.calls[1] ?? "")).toEqual(expected);
  });

  it("thoughts that a provider has signed come through whole, or not at all where a rule would change them", async () => {
    const block = (thinking: string) => ({
      extra_content: {
        anthropic: { thinking_block: { type: "thinking", thinking, signature: "sig" } },
      },
    });
    const fine = event(chunk(block("I think of Project")));
    expect((await pass(DENIES, encoder.encode(fine))).text).toBe(fine);
    const whole = stream(
      chunk({ reasoning_content: "of ada@example.org" }),
      chunk(block("of ada@example.org")),
      FINISH,
    );
    const { text } = await pass(MASKS, encoder.encode(whole));
    expect(text).not.toMatch(/ada@|"sig"/);
    expect(told(text)).toMatchObject([{ reasoning: "of [EMAIL]", reason: "stop" }]);
    const denied = stream(chunk(block("of Project Falcon")), chunk({ content: "x" }), FINISH);
    const ended = await pass(DENIES, encoder.encode(denied));
    expect(ended.text).not.toContain("Falcon");
    expect(told(ended.text)).toMatchObject([{ content: "", reason: "content_filter" }]);
  });

  it("content that was asked for as JSON is read as JSON", async () => {
    const json = '{"mail":"ada\\u0040example.org"}';
    const { text } = await pass(MASKS, encoder.encode(says(json)), { jsonContent: true });
    expect(JSON.parse(contentOf(text) ?? "")).toEqual({ mail: "[EMAIL]" });
  });
});

describe("any text in any pieces", () => {
  const word = fc.constantFrom(
    "Project ",
    "Falcon",
    "ada@",
    "example.org",
    " ",
    ".",
    "👋",
    "é",
    "4111 1111 ",
    "1111 1111",
    "\n",
    "\\",
    '"',
  );
  const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(""));

  it("is let out as the same text is in one piece", async () => {
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.array(fc.nat(200)),
        fc.array(fc.nat(3_000)),
        async (whole, splits, cuts) => {
          const places = [...new Set(splits.map((place) => place % (whole.length + 1)))].sort(
            (a, b) => a - b,
          );
          const texts = [0, ...places].map((from, index) => whole.slice(from, places[index]));
          for (const rails of [MASKS, DENIES]) {
            const message = { role: "assistant", content: whole };
            const answer = { choices: [{ index: 0, message, finish_reason: "stop" }] };
            const { body, ...done } = guardAnswer(rails, JSON.stringify(answer), {
              jsonContent: false,
            });
            const guarded = JSON.parse(body);
            const streamed = await pass(rails, encoder.encode(says(...texts)), { cuts });
            const content: string = guarded.choices[0].message.content;
            const reason: string = guarded.choices[0].finish_reason;
            expect(told(streamed.text)[0]).toMatchObject({ content, reason });
            // What is counted is what was done.
            expect(streamed.work).toEqual(done);
            expect(done.denied).toBe(reason === "content_filter");
            expect(done.masked || done.denied).toBe(content !== whole);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("a whole answer", () => {
  const answer = (message: object) =>
    JSON.stringify({ id: "x", choices: [{ index: 0, message, finish_reason: "stop" }] });

  it("is given back as it came where nothing changes", () => {
    const body = ` ${answer({ role: "assistant", content: "Hello" })} `;
    const nothing = { body, masked: false, denied: false };
    expect(guardAnswer(DENIES, body, { jsonContent: false })).toEqual(nothing);
  });

  it("ends before what is denied, and calls no tool any more", () => {
    const call = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
    const message = { role: "assistant", content: "It is Project Falcon.", tool_calls: [call] };
    const guarded = JSON.parse(guardAnswer(DENIES, answer(message), { jsonContent: false }).body);
    expect(guarded.choices[0]).toEqual({
      index: 0,
      message: { role: "assistant", content: "It is " },
      finish_reason: "content_filter",
    });
  });
});
