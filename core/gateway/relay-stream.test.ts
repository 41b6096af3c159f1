import { describe, expect, it, vi } from "vitest";
import { type RelayInput, type RelayOutcome, relayStream } from "./relay-stream.ts";
import { StreamTally } from "./stream-tally.ts";

const CHUNK = `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n`;
const LAST = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n`;
const DONE = "data: [DONE]\n\n";
const encoder = new TextEncoder();

/** How a provider's body goes on after the pieces that it has sent. */
type Ending = "ends" | "breaks" | "stays open";

interface Relayed {
  outcome: Promise<RelayOutcome>;
  /** What the client reads from. */
  client: ReadableStream<Uint8Array>;
  abort: ReturnType<typeof vi.fn<RelayInput["abort"]>>;
  /** Sends another piece from the provider. */
  send: (piece: string | Uint8Array) => void;
}

function relay(pieces: string[], ending: Ending, options: Partial<RelayInput> = {}): Relayed {
  let upstream: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      upstream = controller;
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      if (ending === "ends") controller.close();
    },
    pull(controller) {
      if (ending === "breaks") controller.error(new Error("connection reset"));
    },
  });
  // As the platform's: what is written waits until it is read.
  const pipe = new TransformStream<Uint8Array, Uint8Array>({}, undefined, { highWaterMark: 0 });
  const abort = vi.fn<RelayInput["abort"]>(() => {
    try {
      upstream?.error(new DOMException("aborted", "AbortError")); // as fetch does with its body
    } catch {
      // It had ended.
    }
  });
  const outcome = relayStream({
    upstream: body,
    client: pipe.writable,
    tally: new StreamTally(true),
    abort,
    idleMs: 5_000,
    clientSignal: null,
    errorEvent: (error) => `data: {"error":{"code":"${error.code}"}}\n\n`,
    now: Date.now,
    ...options,
  });
  return {
    outcome,
    client: pipe.readable,
    abort,
    send: (piece) => upstream?.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece),
  };
}

const textOf = (client: ReadableStream<Uint8Array>) => new Response(client).text();

describe("a stream that is relayed", () => {
  it("arrives as it came", async () => {
    const { client, outcome, abort } = relay([CHUNK + CHUNK, LAST, DONE], "ends");
    expect(await textOf(client)).toBe(CHUNK + CHUNK + LAST + DONE);
    expect(await outcome).toMatchObject({ status: 200, errorCode: null });
    expect(abort).not.toHaveBeenCalled();
  });

  it("arrives as it came, wherever it was cut into pieces", async () => {
    const whole = CHUNK.replace('"a"', '"سلام 👋🏽"') + LAST + DONE;
    const bytes = encoder.encode(whole);
    const arrived = async (size: number) => {
      const { client, send, outcome } = relay([], "stays open");
      const text = textOf(client);
      for (let at = 0; at < bytes.length; at += size) send(bytes.slice(at, at + size));
      expect(await text).toBe(whole);
      expect((await outcome).status).toBe(200);
    };
    await Promise.all([1, 2, 7, 64].map(arrived));
  });

  it("reaches the client before the next piece is there", async () => {
    const { client, send, outcome } = relay([CHUNK], "stays open");
    const reader = client.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(CHUNK);
    send(LAST + DONE);
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(LAST + DONE);
    expect((await reader.read()).done).toBe(true);
    expect((await outcome).status).toBe(200);
  });

  it("ends for the client with [DONE], and ends the provider's call that does not", async () => {
    const { client, outcome, abort } = relay([CHUNK, LAST, DONE], "stays open");
    expect(await textOf(client)).toBe(CHUNK + LAST + DONE);
    const { status, endedAt } = await outcome;
    expect(status).toBe(200);
    expect(abort).toHaveBeenCalledTimes(1);
    expect(Date.now() - endedAt).toBeGreaterThan(500); // the wait for the provider is not the client's
  });

  it("gets the [DONE] that its provider left out", async () => {
    const { client, outcome } = relay([CHUNK, LAST], "ends");
    expect(await textOf(client)).toBe(CHUNK + LAST + DONE);
    expect((await outcome).status).toBe(200);
  });

  it("ends where its provider says so, whatever comes after", async () => {
    const { client } = relay([CHUNK, LAST, DONE + CHUNK, CHUNK], "ends");
    expect(await textOf(client)).toBe(CHUNK + LAST + DONE);
  });
});

describe("a stream that is cut", () => {
  const cut = (code: string) => `data: {"error":{"code":"${code}"}}\n\n`;

  it.each<[string, string[], Ending, string, string]>([
    ["by a broken connection", [CHUNK], "breaks", CHUNK, "stream_cut"],
    ["by an end without a reason", [CHUNK], "ends", CHUNK, "stream_cut"],
    ["within an event", [CHUNK, CHUNK.slice(0, 30)], "ends", CHUNK, "stream_cut"],
    ["after its reason, but before its end", [CHUNK, LAST], "breaks", CHUNK + LAST, "stream_cut"],
    ["before anything came", [], "ends", "", "stream_cut"],
    [
      "by an error",
      [CHUNK, `data: {"error":{"message":"secret"}}\n\n`],
      "ends",
      CHUNK,
      "provider_error",
    ],
    [
      "by an error and [DONE]",
      [CHUNK + `data: {"error":"secret"}\n\n` + DONE],
      "ends",
      CHUNK,
      "provider_error",
    ],
    [
      "by an event named error",
      [CHUNK, `event: error\ndata: {"a":1}\n\n`],
      "ends",
      CHUNK,
      "provider_error",
    ],
  ])("ends with an error of ours: %s", async (_name, pieces, ending, before, code) => {
    const { client, outcome } = relay(pieces, ending);
    expect(await textOf(client)).toBe(before + cut(code));
    expect(await outcome).toMatchObject({ status: 502, errorCode: code });
  });

  it("passes on an event that only lacks its blank line", async () => {
    const { client, outcome } = relay([CHUNK, LAST.trimEnd()], "ends");
    expect(await textOf(client)).toBe(CHUNK + LAST + DONE);
    expect((await outcome).status).toBe(200);
  });

  it("by its provider's silence ends with a time-out, and ends the call", async () => {
    const { client, outcome, abort } = relay([CHUNK], "stays open", { idleMs: 50 });
    expect(await textOf(client)).toBe(CHUNK + cut("provider_timeout"));
    expect(await outcome).toMatchObject({ status: 504, errorCode: "provider_timeout" });
    expect(abort).toHaveBeenCalledWith("timeout");
  });

  it("is not silent while something comes now and then", async () => {
    const { client, outcome, send } = relay([], "stays open", { idleMs: 200 });
    const text = textOf(client);
    for (let count = 0; count < 6; count++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      send(": still here\n\n");
    }
    send(LAST + DONE);
    expect(await text).toContain("[DONE]");
    expect((await outcome).status).toBe(200);
  });
});

describe("a client that goes away", () => {
  it("by closing ends the provider's call", async () => {
    const { client, outcome, abort } = relay([CHUNK], "stays open");
    const reader = client.getReader();
    await reader.read();
    await reader.cancel();
    expect(await outcome).toMatchObject({ status: 499, errorCode: "client_closed" });
    expect(abort).toHaveBeenCalledWith("client");
  });

  it("by its signal does so too, even before the first event", async () => {
    const controller = new AbortController();
    const { outcome, abort } = relay([], "stays open", { clientSignal: controller.signal });
    controller.abort();
    expect((await outcome).status).toBe(499);
    expect(abort).toHaveBeenCalledWith("client");
  });

  it("before the relay began is noticed", async () => {
    const { outcome } = relay([CHUNK], "stays open", { clientSignal: AbortSignal.abort() });
    expect((await outcome).status).toBe(499);
  });

  it("after [DONE] has had its answer", async () => {
    const controller = new AbortController();
    const { client, outcome } = relay([CHUNK + LAST + DONE], "stays open", {
      clientSignal: controller.signal,
    });
    const reader = client.getReader();
    await reader.read();
    controller.abort();
    expect(await outcome).toMatchObject({ status: 200, errorCode: null });
  });
});
