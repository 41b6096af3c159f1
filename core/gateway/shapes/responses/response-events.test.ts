import { describe, expect, it } from "vitest";
import type { Fields } from "../fields.ts";
import { translateStream } from "../translate-stream.ts";
import { ResponseEvents } from "./response-events.ts";
import { type ResponseFrame, writeResponse } from "./response.ts";

const encoder = new TextEncoder();
const WHOLE = `data: ${JSON.stringify({
  model: "m",
  choices: [{ index: 0, delta: { content: "hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
})}\n\ndata: [DONE]\n\n`;

const frameOf = (keep: ResponseFrame["keep"]): ResponseFrame => ({
  rest: "R",
  previousId: null,
  createdAt: 1,
  body: { model: "m" },
  keep,
  estimateInput: () => 1,
});

function streamOf(text: string, keep: ResponseFrame["keep"]) {
  const canonical = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(text));
      controller.close();
    },
  });
  return translateStream(canonical, new ResponseEvents(frameOf(keep)));
}

describe("a streamed response", () => {
  it("is kept before its last event is sent, and is what that event holds", async () => {
    const kept: Fields[] = [];
    let done = (_kept: boolean) => {};
    const stream = streamOf(WHOLE, (response) => {
      kept.push(response);
      return new Promise((resolve) => (done = resolve));
    });
    let read = "";
    const reading = (async () => {
      for await (const piece of stream) read += new TextDecoder().decode(piece);
    })();
    await expect.poll(() => kept.length).toBe(1);
    expect(read).not.toContain("response.completed");
    done(true);
    await reading;
    const last = /event: response.completed\ndata: (.+)\n/.exec(read)?.[1] ?? "{}";
    expect(JSON.parse(last)).toMatchObject({ response: { id: "resp_R", store: true } });
    expect((JSON.parse(last) as { response: Fields }).response).toEqual(kept[0]); // as the protocol has it
  });

  it("says that it is not kept where it could not be", async () => {
    const text = await new Response(streamOf(WHOLE, () => Promise.resolve(false))).text();
    const last = /event: response.completed\ndata: (.+)\n/.exec(text)?.[1] ?? "{}";
    expect(JSON.parse(last)).toMatchObject({ response: { status: "completed", store: false } });
  });

  it("is never kept when it broke off, wherever that was", async () => {
    for (let length = 0; length < WHOLE.length - 2; length += 7) {
      let kept = 0;
      const stream = streamOf(WHOLE.slice(0, length), () => Promise.resolve(++kept > 0));
      expect(await new Response(stream).text()).toContain("response.failed");
      expect(kept).toBe(0);
    }
  });
});

it("a response in one piece is kept before it is given, and says whether it is", async () => {
  const completion = JSON.stringify({
    model: "m",
    choices: [{ message: { content: "hello" }, finish_reason: "stop" }],
  });
  for (const kept of [true, false]) {
    const texts: string[] = [];
    const text = await writeResponse(
      completion,
      frameOf(async (response) => {
        texts.push(JSON.stringify(response));
        return kept;
      }),
    );
    expect(JSON.parse(text)).toMatchObject({ store: kept });
    if (kept) expect(texts).toEqual([text]);
  }
});
