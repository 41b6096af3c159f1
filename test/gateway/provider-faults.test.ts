import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CLIENT_SENTENCE } from "#test/providers/fault-provider.ts";
import { type FaultName, LEAK_MARK } from "#test/providers/fault.ts";
import { chunksIn, readEvents, type ReceivedStream, textIn } from "./event-stream.ts";
import { type GatewayStack, PROVIDER_KEY, startGateway, userSays } from "./gateway-stack.ts";

/** What a record says of tokens: the provider's own numbers, an estimate, or none. */
type Tokens = "counted" | "estimated" | "none";

interface Failure {
  status: number;
  code: string;
  tokens: Tokens;
  says: RegExp;
  retryAfter?: string;
  /** Whether the answer tells clients that a retry is of no use. */
  final?: boolean;
}

const AGAIN = /try again/i;
const OPERATOR = /operator/i;
const failed = (more: Partial<Failure> = {}): Failure => ({
  status: 502,
  code: "provider_error",
  tokens: "none",
  says: AGAIN,
  ...more,
});
const misconfigured = failed({ code: "provider_misconfigured", says: OPERATOR, final: true });
const unreachable = failed({ code: "provider_unreachable" });
const tooSlow = failed({ status: 504, code: "provider_timeout" });
const refused = (status: number, code: string): Failure =>
  failed({ status, code, says: new RegExp(CLIENT_SENTENCE) });

/** What fails before the answer begins: the same whether it was to be streamed or not. */
const BEFORE: Partial<Record<FaultName, Failure>> = {
  "html-502": failed(),
  "status-400": refused(400, "invalid_request"),
  "status-401": misconfigured,
  "status-403": misconfigured,
  "status-404": failed({ status: 404, code: "model_not_found", says: /GET \/v1\/models/ }),
  "status-408": { ...tooSlow, tokens: "estimated" },
  "status-422": refused(422, "validation_failed"),
  "status-429": failed({ status: 429, code: "provider_rate_limited", retryAfter: "7" }),
  "status-500": failed(),
  "status-503": failed({ status: 503, code: "provider_overloaded", retryAfter: "2" }),
  "error-without-end": failed(),
  "html-200": failed(),
  hang: { ...tooSlow, tokens: "estimated" },
  close: unreachable,
  "reset-on-connect": unreachable,
  redirect: misconfigured,
};

const WHOLE_FAILURES: Partial<Record<FaultName, Failure>> = {
  ...BEFORE,
  "truncated-json": failed(),
  cut: failed(),
  reset: failed(),
  silence: { ...tooSlow, tokens: "estimated" },
};
const STREAM_REFUSALS: Partial<Record<FaultName, Failure>> = {
  ...BEFORE,
  "wrong-content-type": failed(),
};

const cutShort = failed({ code: "stream_cut", tokens: "estimated" });

/** What fails after the stream began: the status is 200 by then, and the last event tells. */
const STREAM_FAILURES: Partial<Record<FaultName, Failure>> = {
  cut: cutShort,
  reset: cutShort,
  "clean-cut": cutShort,
  "half-event": cutShort,
  "empty-finish-reason": cutShort,
  "cut-after-finish": { ...cutShort, tokens: "counted" },
  silence: failed({ status: 504, code: "provider_timeout", tokens: "estimated" }),
  "error-event": failed({ tokens: "estimated" }),
  "error-in-chunk": failed({ tokens: "estimated" }),
  "named-error-event": failed({ tokens: "estimated" }),
  "over-giant": failed({ tokens: "estimated", says: /too large/ }),
};

const WHOLE_SUCCESSES: Partial<Record<FaultName, Tokens>> = {
  none: "counted",
  "slow-first-byte": "counted",
  "no-usage": "estimated",
  "wrong-content-type": "counted",
  gzip: "counted",
  cookies: "counted",
  giant: "counted",
};
const STREAM_SUCCESSES: Partial<Record<FaultName, Tokens>> = {
  none: "counted",
  "slow-first-byte": "counted",
  "slow-events": "counted",
  burst: "counted",
  "without-done": "counted",
  "open-after-done": "counted",
  "no-usage": "estimated",
  "usage-null": "estimated",
  "usage-last-content": "counted",
  "usage-every-chunk": "counted",
  "usage-always": "counted",
  "split-bytes": "counted",
  crlf: "counted",
  comments: "counted",
  giant: "counted",
  gzip: "counted",
  cookies: "counted",
};

const SAID: Partial<Record<FaultName, string>> = {
  burst: Array.from({ length: 200 }, (_, index) => ` ${index}`).join(""),
  giant: "x".repeat(2_000_000),
  "split-bytes": "Grüße, سلام 👋🏽 done",
};

const saidBy = (name: string) => SAID[name as FaultName] ?? "You said: hi"; // a key of the tables above

/** Faults that last until the provider's time is up; their provider is given less of it. */
const PATIENCE: ReadonlySet<string> = new Set(["hang", "silence", "error-without-end"]);

interface Answer {
  status: number;
  headers: Headers;
  /** The body as text; for streams, all that came. */
  text: string;
  stream: ReceivedStream | null;
  milliseconds: number;
}

const namesOf = (...tables: object[]) => [
  ...new Set(tables.flatMap((table) => Object.keys(table))),
];
const WHOLE = namesOf(WHOLE_FAILURES, WHOLE_SUCCESSES);
const STREAMED = namesOf(STREAM_REFUSALS, STREAM_FAILURES, STREAM_SUCCESSES);

let gateway: GatewayStack;
const answers = new Map<string, Promise<Answer>>();

beforeAll(async () => {
  gateway = await startGateway(inject("postgres"));
  const targets = (patient: boolean) =>
    Object.fromEntries(
      [...WHOLE.map((name) => ["whole", name]), ...STREAMED.map((name) => ["stream", name])]
        .filter(([, name = ""]) => PATIENCE.has(name) === patient)
        .map(([kind, name]) => [`${kind}/${name}`, `fault/${name}`]),
    );
  await gateway.addModels(targets(true), { timeoutMs: 1_500 });
  await gateway.addModels(targets(false));
  for (const name of WHOLE) answers.set(`whole/${name}`, ask(`whole/${name}`, false));
  for (const name of STREAMED) answers.set(`stream/${name}`, ask(`stream/${name}`, true));
  await Promise.allSettled(answers.values());
});
afterAll(() => gateway?.stop());

async function ask(model: string, stream: boolean): Promise<Answer> {
  const began = Date.now();
  const body = { model, messages: userSays("hi"), user: "someone", ...(stream ? { stream } : {}) };
  const response = await gateway.chat(body);
  const { status, headers } = response;
  const streamed = stream && status === 200 ? await readEvents(response) : null;
  const text = streamed ? streamed.raw : await response.text();
  return { status, headers, text, stream: streamed, milliseconds: Date.now() - began };
}

async function answerTo(model: string): Promise<Answer> {
  const answer = await answers.get(model);
  if (!answer) throw new Error(`Nobody asked ${model}`);
  return answer;
}

function expectNoLeak({ headers, text }: Answer): void {
  const all = JSON.stringify([...headers]) + text;
  for (const secret of [LEAK_MARK, PROVIDER_KEY, "<html", "    at ", gateway.provider.url])
    expect(all).not.toContain(secret);
  expect(headers.get("set-cookie")).toBeNull();
  expect(headers.get("x-request-id")).toMatch(/^req_/);
}

interface ErrorBody {
  error: { message: string; type: string; code: string; param: string | null; request_id: string };
}

/** An error as OpenAI's clients read it, with a sentence that helps. */
function expectError({ error }: ErrorBody, expected: Failure, answer: Answer): void {
  expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "request_id", "type"]);
  expect(error.code).toBe(expected.code);
  expect(error.message).toMatch(expected.says);
  expect(error.request_id).toBe(answer.headers.get("x-request-id"));
}

/** The request's one record, as it must be. */
async function expectRecord(
  model: string,
  answer: Answer,
  expected: { status: number; code: string | null; tokens: Tokens },
): Promise<void> {
  const [record] = await gateway.waitForRecords(model, 1);
  expect(record).toMatchObject({
    id: answer.headers.get("x-request-id"),
    attempt: 1,
    team_id: gateway.teamId,
    key_id: gateway.keyId,
    end_user: "someone",
    status: expected.status,
    error_code: expected.code,
    estimated: expected.tokens === "estimated",
  });
  if (!record) return;
  const { input_tokens: input, output_tokens: output } = record;
  if (expected.tokens === "none") expect([input, output]).toEqual([0, 0]);
  if (expected.tokens === "counted") expect(input).toBe(11);
  if (expected.tokens === "estimated") expect(input).toBeGreaterThan(0);
  expect(record.cost_micros).toBe(input + 2 * output);
  expect(record.latency_ms).toBeLessThanOrEqual(answer.milliseconds);
  if (answer.stream && textIn(answer.stream) !== "") {
    expect(output).toBeGreaterThan(0);
    expect(record.first_token_ms).toBeGreaterThanOrEqual(0);
    expect(record.first_token_ms).toBeLessThanOrEqual(record.latency_ms);
  } else expect(record.first_token_ms).toBeNull();
}

async function expectRefusal(model: string, expected: Failure): Promise<void> {
  const answer = await answerTo(model);
  expect(answer.status).toBe(expected.status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  expect(answer.headers.get("retry-after")).toBe(expected.retryAfter ?? null);
  if (expected.final) expect(answer.headers.get("x-should-retry")).toBe("false");
  expectError(JSON.parse(answer.text) as ErrorBody, expected, answer); // checked field by field there
  expectNoLeak(answer);
  await expectRecord(model, answer, expected);
}

describe("an answer in one piece", () => {
  it.each(Object.entries(WHOLE_FAILURES))("says what went wrong: %s", async (name, expected) => {
    await expectRefusal(`whole/${name}`, expected);
  });

  it.each(Object.entries(WHOLE_SUCCESSES))("arrives all the same: %s", async (name, tokens) => {
    const model = `whole/${name}`;
    const answer = await answerTo(model);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(JSON.parse(answer.text)).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { content: saidBy(name) } }],
    });
    expectNoLeak(answer);
    await expectRecord(model, answer, { status: 200, code: null, tokens });
  });
});

describe("a streamed answer", () => {
  it.each(Object.entries(STREAM_REFUSALS))(
    "has the right status where it never began: %s",
    async (name, expected) => {
      await expectRefusal(`stream/${name}`, expected);
    },
  );

  it.each(Object.entries(STREAM_FAILURES))(
    "ends with an error, never as if it were complete: %s",
    async (name, expected) => {
      const model = `stream/${name}`;
      const answer = await answerTo(model);
      const { stream } = answer;
      if (!stream) throw new Error(`${answer.status} ${answer.text}`);
      expect(answer.text).not.toContain("[DONE]");
      expect(stream.clean).toBe(true);
      const last = chunksIn(stream).at(-1);
      expectError(last as ErrorBody, expected, answer); // checked field by field there
      const before = chunksIn(stream).slice(0, -1);
      expect(before.length).toBeGreaterThan(0);
      expect(before.every((chunk) => chunk.error === undefined)).toBe(true);
      expectNoLeak(answer);
      await expectRecord(model, answer, expected);
    },
  );

  it.each(Object.entries(STREAM_SUCCESSES))("arrives all the same: %s", async (name, tokens) => {
    const model = `stream/${name}`;
    const answer = await answerTo(model);
    const { stream } = answer;
    if (!stream) throw new Error(`${answer.status} ${answer.text}`);
    expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(stream.clean).toBe(true);
    expect(stream.events.at(-1)?.data).toBe("[DONE]");
    expect(stream.events.filter(({ data }) => data === "[DONE]")).toHaveLength(1);
    expect(chunksIn(stream).every((chunk) => chunk.choices?.length === 1)).toBe(true);
    expect(textIn(stream)).toBe(saidBy(name));
    expectNoLeak(answer);
    await expectRecord(model, answer, { status: 200, code: null, tokens });
  });

  it("does not wait for a provider that leaves its connection open after the end", async () => {
    expect((await answerTo("stream/open-after-done")).milliseconds).toBeLessThan(10_000);
  });
});

describe("the provider", () => {
  it("was called once for each request, with its own key and never with the client's", () => {
    for (const model of answers.keys()) {
      const name = model.replace(/^[a-z]+\//, "");
      const calls = gateway.provider
        .requestsFor(`fault/${name}`)
        .filter((request) => (request.body?.["stream"] === true) === model.startsWith("stream/"));
      expect(calls, model).toHaveLength(1);
    }
    for (const { headers, text } of gateway.provider.requests) {
      expect(headers.authorization).toBe(`Bearer ${PROVIDER_KEY}`);
      expect(JSON.stringify(headers) + text).not.toContain(gateway.key);
    }
  });

  it("had its connection closed where it would not end it", () => {
    const open = ["hang", "silence", "error-without-end", "open-after-done"];
    for (const name of open)
      for (const request of gateway.provider.requestsFor(`fault/${name}`))
        expect(request.abortedAt, name).not.toBeNull();
  });
});

describe("the log", () => {
  it("has one line for each request, and no secret in any line", () => {
    const lines = gateway.stack.logs.entries.filter((entry) => entry["event"] === "request");
    const chats = lines.filter((entry) => entry["path"] === "/v1/chat/completions");
    expect(chats).toHaveLength(answers.size);
    expect(new Set(chats.map((entry) => entry["request_id"])).size).toBe(answers.size);
    for (const secret of [PROVIDER_KEY, gateway.key, LEAK_MARK])
      expect(gateway.stack.logs.includes(secret)).toBe(false);
  });
});
