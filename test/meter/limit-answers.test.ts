import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type MeteredStack, startMeteredStack } from "./metered-stack.ts";

/** What answers say about limits, whichever API they are asked by. */

let metered: MeteredStack;
beforeAll(async () => (metered = await startMeteredStack(inject("postgres"))));
afterAll(() => metered?.stop());

const hello = { model: "metered", messages: [{ role: "user", content: "Hello" }] };
type Api = [path: string, body: object];
const APIS: Api[] = [
  ["/v1/chat/completions", hello],
  ["/v1/chat/completions", { ...hello, stream: true }],
  ["/v1/embeddings", { model: "metered", input: "Hello" }],
  ["/v1/messages", { ...hello, max_tokens: 50 }],
  ["/v1/messages", { ...hello, max_tokens: 50, stream: true }],
  ["/v1/responses", { model: "metered", input: "Hello" }],
  ["/v1/responses", { model: "metered", input: "Hello", stream: true }],
  ["/v1/chat", { model: "metered", message: "Hello" }],
  ["/v1/chat", { model: "metered", message: "Hello", stream: true }],
];

const send = async (client: ApiClient, [path, body]: Api) => {
  const response = await client.request("POST", path, body);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe.each(APIS)("%s %o", (...api) => {
  it("says what its limits leave", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(
      teamId,
      { unit: "requests", window: "minute", max: 100 },
      { unit: "tokens", window: "day", max: 1_000_000 },
      { unit: "usd", window: "month", max: "100.00" },
    );
    const { status, headers } = await send(client, api);
    expect(status).toBe(200);
    expect(headers.get("x-ratelimit-limit-requests")).toBe("100");
    expect(headers.get("x-ratelimit-remaining-requests")).toBe("99");
    expect(headers.get("x-ratelimit-reset-requests")).toMatch(/^(\d+m)?\d+m?s$/);
    expect(headers.get("x-ratelimit-limit-tokens")).toBe("1000000");
    expect(headers.get("ratelimit-policy")).toMatch(
      /^"team-requests-minute";q=100;w=60, "team-tokens-day";q=1000000;w=86400;qu="tokens", "team-usd-month";q=100000000;w=\d+;qu="micro-usd"$/,
    );
    expect(headers.get("ratelimit")).toMatch(/^"team-requests-minute";r=99;t=\d+, /);
    expect(headers.get("x-limit-warning")).toBeNull();
  });

  it("says when to come back where a rate is used up, in its own error's shape", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "requests", window: "minute", max: 1 });
    expect((await send(client, api)).status).toBe(200);
    const { headers, text } = await eventually(async () => {
      const answer = await send(client, api); // a minute may have begun since the first one
      expect(answer.status).toBe(429);
      return answer;
    });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(headers.get("retry-after-ms"))).toBeLessThanOrEqual(60_000);
    expect(headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(headers.get("ratelimit")).toMatch(/^"team-requests-minute";r=0;t=\d+$/);
    const sentence = expect.stringMatching(
      /^Limit reached: this team may use 1 requests per minute\..* It resets at \S+Z, in (\d+m)?\d+m?s\.$/,
    );
    expect(JSON.parse(text)).toMatchObject(errorOf(api[0], "rate_limit_exceeded", sentence));
  });

  it("is not sent again where a budget is spent", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "usd", window: "total", max: "0.000001" });
    const { status, headers, text } = await send(client, api);
    expect(status).toBe(429);
    expect(headers.get("x-should-retry")).toBe("false");
    const sentence = expect.stringMatching(
      /^Limit reached: this team may use \$0\.000001 in total/,
    );
    expect(JSON.parse(text)).toMatchObject(errorOf(api[0], "insufficient_quota", sentence));
  });
});

/** An error of 429 in the shape that the path's clients know. */
function errorOf(
  path: string,
  code: "rate_limit_exceeded" | "insufficient_quota",
  message: string,
) {
  if (path === "/v1/messages")
    return { type: "error", error: { type: "rate_limit_error", message } };
  if (path === "/v1/chat") return { status: 429, code, detail: message };
  const type = code === "insufficient_quota" ? code : "requests";
  return { error: { message, type, code } };
}

describe("official clients", () => {
  it("do not repeat what a spent budget refused", async () => {
    const { teamId, key } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "usd", window: "total", max: "0.000001" });
    const baseURL = metered.stack.urls.api;
    let sent = 0;
    const counting: typeof fetch = (...input) => {
      sent++;
      return fetch(...input);
    };
    const openai = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: key, fetch: counting });
    await expect(
      openai.chat.completions.create({ ...hello, messages: [{ role: "user", content: "Hello" }] }),
    ).rejects.toMatchObject({ status: 429, code: "insufficient_quota" });
    expect(sent).toBe(1);
    const anthropic = new Anthropic({ baseURL, apiKey: key, authToken: null, fetch: counting });
    await expect(
      anthropic.messages.create({
        model: "metered",
        max_tokens: 50,
        messages: [{ role: "user", content: "Hello" }],
      }),
    ).rejects.toMatchObject({ status: 429 });
    expect(sent).toBe(2);
  });

  it("come back after a rate's reset, and get their answer", async () => {
    const { teamId, key, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "requests", window: "second", max: 1 });
    const openai = new OpenAI({
      baseURL: `${metered.stack.urls.api}/v1`,
      apiKey: key,
      maxRetries: 5,
    });
    expect((await metered.ask(client)).status).toBe(200);
    const answers = await Promise.all(
      [1, 2].map(() =>
        openai.chat.completions.create({
          model: "metered",
          messages: [{ role: "user", content: "Hello" }],
        }),
      ),
    );
    for (const { choices } of answers) expect(choices[0]?.message.content).toBe("You said: Hello");
  });
});

describe("a request that names two bounds for its output, or one that its provider may not know", () => {
  it("is counted by the larger one, and sent with the name that every server knows", async () => {
    const { teamId, client } = await metered.stack.createTeam();
    await metered.limitTeam(teamId, { unit: "tokens", window: "day", max: 1_000 });
    const both = { max_completion_tokens: 1, max_tokens: 5_000 };
    expect((await metered.ask(client, both)).status).toBe(429);
    await metered.addModel("bounded", "bounded");
    expect((await metered.ask(client, { model: "bounded", max_completion_tokens: 7 })).status).toBe(
      200,
    );
    expect(metered.provider.requestsFor("bounded").at(-1)?.body).toMatchObject({ max_tokens: 7 });
    expect((await metered.ask(client, { model: "bounded" })).status).toBe(200);
    expect(metered.provider.requestsFor("bounded").at(-1)?.body).toMatchObject({ max_tokens: 50 });
  });
});
