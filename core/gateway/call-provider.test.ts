import { UNLIMITED } from "./admission.ts";
import { describe, expect, it } from "vitest";
import { AppError } from "../kernel/errors.ts";
import { CircuitBoard } from "../providers/circuits/circuit-board.ts";
import { modelRouteOf, routeOf } from "#test/providers/routes.ts";
import type { Exchange } from "../providers/kinds/kind.ts";
import { callProvider, readWhole } from "./call-provider.ts";
import type { GatewayPorts, ModelCall } from "./model-call.ts";

const route = routeOf("theirs", {
  endpoint: {
    kind: "openai",
    baseUrl: "https://provider.test/v1",
    apiKey: null,
    apiKeySealed: "sealed",
    timeoutMs: 200,
  },
});

const call = (more: Partial<ModelCall> = {}): ModelCall => ({
  requestId: "req_1",
  receivedAt: 0,
  principal: { kind: "super_admin", teamId: "team_1" },
  teamId: "team_1",
  sessionId: null,
  endUser: null,
  traceparent: "00-a-b-01",
  tracestate: null,
  clientSignal: null,
  ...more,
});

const exchange: Exchange = {
  request: { by: "http", path: "/chat/completions", body: "{}" },
  decodeWhole: null,
  translateStream: null,
};

type Fetch = GatewayPorts["fetch"];

function portsWith(fetch: Fetch): GatewayPorts {
  return {
    fetch,
    runAi: null,
    route: () => Promise.resolve(modelRouteOf([route])),
    openKey: (provider, sealed) => Promise.resolve(`${provider}-${sealed}-opened`),
    guardRails: () => null,
    circuits: new CircuitBoard(),
    syncCircuits: () => undefined,
    admit: () => UNLIMITED,
    report: () => undefined,
    background: () => undefined,
    createPipe: () => new TransformStream(),
    now: Date.now,
  };
}

const send = (fetch: Fetch, more?: Partial<ModelCall>) =>
  callProvider(portsWith(fetch), call(more), route, exchange);
const answering = (body: BodyInit | null, init?: ResponseInit) => () =>
  Promise.resolve(new Response(body, init));

async function failureOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error(`It was no AppError: ${String(error)}`);
}

/** Never answers, but fails as fetch does when it is aborted. */
const silent: Fetch = (_url, { signal }) =>
  new Promise((_resolve, reject) => {
    const fail = () => reject(new DOMException("aborted", "AbortError"));
    if (signal?.aborted) fail();
    signal?.addEventListener("abort", fail);
  });

/** A body that begins and does not end, until the call is aborted. */
function endless(signal: AbortSignal | null | undefined, first = "{"): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(first));
      signal?.addEventListener("abort", () => controller.error(new DOMException("", "AbortError")));
    },
  });
}

describe("a call of a provider", () => {
  it("carries its opened key, our request id and the trace, and follows no redirect", async () => {
    let seen: RequestInit = {};
    const answer = await send(
      (url, init) => {
        expect(url).toBe("https://provider.test/v1/chat/completions");
        seen = init;
        return Promise.resolve(Response.json({}));
      },
      { tracestate: "vendor=1" },
    );
    expect(answer.response.status).toBe(200);
    expect(seen.headers).toMatchObject({
      authorization: "Bearer theirs-sealed-opened",
      "x-request-id": "req_1",
      traceparent: "00-a-b-01",
      tracestate: "vendor=1",
    });
    expect(seen.redirect).toBe("manual");
  });

  it.each<[number, string, number]>([
    [301, "provider_misconfigured", 502],
    [400, "invalid_request", 400],
    [401, "provider_misconfigured", 502],
    [402, "provider_misconfigured", 502],
    [403, "provider_misconfigured", 502],
    [404, "model_not_found", 404],
    [408, "provider_timeout", 504],
    [409, "conflict", 409],
    [413, "body_too_large", 413],
    [415, "unsupported_media_type", 415],
    [418, "provider_error", 502],
    [422, "validation_failed", 422],
    [429, "provider_rate_limited", 429],
    [500, "provider_error", 502],
    [502, "provider_error", 502],
    [503, "provider_overloaded", 503],
    [504, "provider_timeout", 504],
    [529, "provider_overloaded", 503],
  ])("that is answered with %i is %s", async (status, code, ours) => {
    const error = await failureOf(send(answering("<html>who knows</html>", { status })));
    expect(error.code).toBe(code);
    expect(error.meaning.status).toBe(ours);
    expect(error.message).not.toContain("html");
    expect(error.details).toEqual({ provider: "theirs", provider_status: status });
  });

  it("passes on a sentence about the request, cut to a decent length", async () => {
    const said = { error: { message: `No. ${"x".repeat(9_000)}`, param: "stop", key: "sk-1" } };
    const error = await failureOf(send(answering(JSON.stringify(said), { status: 400 })));
    expect(error.message).toMatch(/^No\. x+$/);
    expect(error.message).toHaveLength(2_000);
    expect(error.param).toBe("stop");
  });

  it.each(["null", "[]", '{"error":null}', '{"error":{"message":7}}', '"text"', ""])(
    "says something of its own where the provider says nothing: %s",
    async (body) => {
      const error = await failureOf(send(answering(body, { status: 400 })));
      expect(error.message).toMatch(/does not take this request/);
    },
  );

  it.each<[string, number | undefined]>([
    ["7", 7],
    ["0.2", 1],
    ["999999", 3_600],
    ["soon", undefined],
  ])("takes over when to try again: %s", async (value, seconds) => {
    const headers = { "retry-after": value };
    const error = await failureOf(send(answering("", { status: 429, headers })));
    expect(error.retryAfterSeconds).toBe(seconds);
  });

  it("takes over when to try again from a date, too", async () => {
    const headers = { "retry-after": new Date(Date.now() + 30_000).toUTCString() };
    const error = await failureOf(send(answering("", { status: 503, headers })));
    expect(error.retryAfterSeconds).toBeGreaterThan(27);
    expect(error.retryAfterSeconds).toBeLessThan(31);
  });

  it("ends when the provider is silent for too long", async () => {
    expect((await failureOf(send(silent))).code).toBe("provider_timeout");
  });

  it("ends when an error's body does not", async () => {
    const fetch: Fetch = (_url, { signal }) =>
      Promise.resolve(new Response(endless(signal), { status: 500 }));
    expect((await failureOf(send(fetch))).code).toBe("provider_error");
  });

  it("ends when the client is gone, before and after it began", async () => {
    const gone = { clientSignal: AbortSignal.abort() };
    expect((await failureOf(send(silent, gone))).code).toBe("client_closed");
    const controller = new AbortController();
    const asked = failureOf(send(silent, { clientSignal: controller.signal }));
    controller.abort();
    expect((await asked).code).toBe("client_closed");
  });

  it("that fails to connect says so without the reason, which is for the log", async () => {
    const cause = new TypeError("connect ECONNREFUSED 10.0.0.7:443");
    const error = await failureOf(send(() => Promise.reject(cause)));
    expect(error.code).toBe("provider_unreachable");
    expect(error.message).not.toContain("10.0.0.7");
    expect(error.cause).toBe(cause);
  });
});

describe("an answer that is read whole", () => {
  const read = async (fetch: Fetch) => readWhole(await send(fetch), route);

  it("is its text", async () => {
    expect(await read(answering("سلام"))).toBe("سلام");
  });

  it("is refused when it is larger than we hold, whatever it says of its length", async () => {
    const megabyte = new Uint8Array(1024 * 1024);
    const large = (headers: Record<string, string>) => () => {
      let left = 65;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left-- > 0) controller.enqueue(megabyte);
          else controller.close();
        },
      });
      return Promise.resolve(new Response(body, { headers }));
    };
    const packed: Record<string, string> = { "content-length": "99", "content-encoding": "gzip" };
    for (const headers of [{}, packed]) {
      const error = await failureOf(read(large(headers)));
      expect(error.code).toBe("provider_error");
      expect(error.message).toMatch(/over \d+ bytes/);
    }
  });

  it("has a limit in time", async () => {
    const fetch: Fetch = (_url, { signal }) => Promise.resolve(new Response(endless(signal)));
    expect((await failureOf(read(fetch))).code).toBe("provider_timeout");
  });

  it("that breaks is told apart from one that is too slow", async () => {
    const body = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(new Error("connection reset")),
      });
    const error = await failureOf(read(() => Promise.resolve(new Response(body()))));
    expect(error.code).toBe("provider_error");
    expect(error.message).toMatch(/cut its answer short/);
  });
});
