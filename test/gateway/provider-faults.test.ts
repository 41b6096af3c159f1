import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { LEAK_MARK } from "#test/providers/fault.ts";
import { chunksIn, readEvents, type ReceivedStream, textIn } from "./event-stream.ts";
import {
  type Tokens,
  type Failure,
  WHOLE_FAILURES,
  STREAM_REFUSALS,
  STREAM_FAILURES,
  WHOLE_SUCCESSES,
  STREAM_SUCCESSES,
  saidBy,
  PATIENCE,
} from "./fault-outcomes.ts";
import { type GatewayStack, PROVIDER_KEY, startGateway, userSays } from "./gateway-stack.ts";

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
