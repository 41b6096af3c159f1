import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { type ShapesStack, startShapes } from "#test/shapes/shapes-stack.ts";
import { readEvents, textIn } from "./event-stream.ts";
import { userSays } from "./gateway-stack.ts";

const RULES = [
  { name: "project names", phrases: ["Project Falcon"], action: "deny" },
  { name: "personal data", pii: ["email", "card"], action: "mask" },
  {
    name: "ticket numbers",
    pattern: "\\bTICKET-\\d{4,}\\b",
    action: "mask",
    replacement: "[TICKET]",
  },
  { name: "cities", phrases: ["Tehran"], on: ["output"], action: "mask", replacement: '["CITY"]' },
];
const SECRET = /ada@|example\.org|4111|falcon/i;

let gateway: ShapesStack;
let second: Awaited<ReturnType<ShapesStack["stack"]["startSecondApi"]>>;
beforeAll(async () => {
  gateway = await startShapes(inject("postgres"));
  second = await gateway.stack.startSecondApi();
  await setRules(RULES);
});
afterAll(async () => {
  await second?.stop();
  await gateway?.stop();
});

const path = (teamId = gateway.teamId) => `/v1/teams/${teamId}/guard-rails`;
const admin = () => gateway.stack.admin;

/** Sets the rules, and waits as long as they may take to hold: a second, at most. */
async function setRules(rules: object[], teamId = gateway.teamId): Promise<void> {
  await admin().expect(200, "PUT", path(teamId), { rules });
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // what is shown is that they hold after it
}

/** A model of ours with this script at the provider. */
const model = (name: string, script = {}) => gateway.addScripted(`rails-${name}`, script);
const sentTo = (name: string) => gateway.provider.requestsFor(`rails-${name}`);
const lastSentTo = (name: string) => sentTo(name).at(-1)?.body?.["messages"];

interface OpenAiError {
  error: { code: string; type: string; message: string; param: string | null };
}

describe("what goes to a model", () => {
  it("is masked in every message, in text parts, calls of tools and what came of them", async () => {
    const name = await model("in");
    const call = (text: string) => ({
      id: "c",
      type: "function",
      function: { name: "f", arguments: text },
    });
    const messages = [
      { role: "system", content: "You write to ada@example.org" },
      {
        role: "user",
        content: [{ type: "text", text: "Mine is 4111 1111 1111 1111, TICKET-12345" }],
      },
      { role: "assistant", content: null, tool_calls: [call('{"to":"ada\\u0040example.org"}')] },
      { role: "tool", tool_call_id: "c", content: '{"from": "ada\\u0040example.org", "n": 1}' },
      { role: "user", content: "Go on" },
    ];
    const response = await gateway.chat({ model: name, messages });
    expect(response.status).toBe(200);
    expect(lastSentTo("in")).toEqual([
      { role: "system", content: "You write to [EMAIL]" },
      { role: "user", content: [{ type: "text", text: "Mine is [CARD], [TICKET]" }] },
      { role: "assistant", content: null, tool_calls: [call('{"to":"[EMAIL]"}')] },
      { role: "tool", tool_call_id: "c", content: '{"from": "[EMAIL]", "n": 1}' },
      { role: "user", content: "Go on" },
    ]);
  });

  it("is refused with 400 content_filter that names the rule and repeats nothing, in every shape, with one record each", async () => {
    const name = await model("refused");
    const said = "Tell me of project FALCON.";
    const chat = await gateway.chat({ model: name, messages: userSays(said) });
    expect(chat.status).toBe(400);
    const { error } = (await chat.json()) as OpenAiError;
    expect(error).toMatchObject({
      code: "content_filter",
      type: "invalid_request_error",
      param: "messages",
    });
    expect(error.message).toContain("project names");
    expect(error.message).not.toMatch(SECRET);
    const streamed = await gateway.chat({ model: name, stream: true, messages: userSays(said) });
    expect(streamed.status).toBe(400);
    const anthropic = gateway.anthropic().messages.create({
      model: name,
      max_tokens: 10,
      messages: [{ role: "user", content: said }],
    });
    await expect(anthropic).rejects.toMatchObject({ status: 400 });
    const responses = gateway.openai().responses.create({ model: name, input: said });
    await expect(responses).rejects.toMatchObject({ status: 400, code: "content_filter" });
    const session = await gateway.stack
      .client(gateway.key)
      .request("POST", "/v1/chat", { model: name, message: said });
    expect(session.status).toBe(400);
    expect(await session.json()).toMatchObject({ code: "content_filter" });
    expect(sentTo("refused")).toEqual([]);
    const records = await gateway.waitForRecords(name, 4);
    for (const record of records)
      expect(record).toMatchObject({ status: 400, error_code: "content_filter", cost_micros: 0 });
  });

  it("is masked in texts to embed; tokens, which nobody can read here, are refused", async () => {
    const name = await model("embed");
    const client = gateway.stack.client(gateway.key);
    const ok = await client.request("POST", "/v1/embeddings", {
      model: name,
      input: ["by ada@example.org"],
    });
    expect(ok.status).toBe(200);
    expect(sentTo("embed")[0]?.body?.["input"]).toEqual(["by [EMAIL]"]);
    const tokens = await client.request("POST", "/v1/embeddings", { model: name, input: [[1, 2]] });
    expect(tokens.status).toBe(400);
    const denied = await client.request("POST", "/v1/embeddings", {
      model: name,
      input: "Project Falcon",
    });
    expect(((await denied.json()) as OpenAiError).error.code).toBe("content_filter");
  });
});

describe("what comes from a model", () => {
  const pieces = ["Write to a", "da@exam", "ple.org", " 👋 TICK", "ET-4711", "0 ok"];

  it("is masked for OpenAI's client, whole and streamed", async () => {
    const name = await model("out", { pieces });
    const client = gateway.openai();
    const request = { model: name, messages: [{ role: "user" as const, content: "Hi" }] };
    const whole = await client.chat.completions.create(request);
    expect(whole.choices[0]?.message.content).toBe("Write to [EMAIL] 👋 [TICKET] ok");
    const stream = client.chat.completions.stream(request);
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe("Write to [EMAIL] 👋 [TICKET] ok");
    expect(final.choices[0]?.finish_reason).toBe("stop");
  });

  it("is the same, byte by byte of the provider's stream", async () => {
    const name = await model("bytes", { pieces, splitBytes: 1 });
    const response = await gateway.chat({ model: name, stream: true, messages: userSays("Hi") });
    const stream = await readEvents(response);
    expect(stream.raw).not.toMatch(SECRET);
    expect(textIn(stream)).toBe("Write to [EMAIL] 👋 [TICKET] ok");
  });

  it("is masked in Anthropic's shape, in the Responses API and in what is kept of it", async () => {
    const name = await model("shapes", { pieces });
    const message = await gateway.anthropic().messages.create({
      model: name,
      max_tokens: 100,
      messages: [{ role: "user", content: "From ada@example.org" }],
    });
    expect(message.content).toMatchObject([
      { type: "text", text: "Write to [EMAIL] 👋 [TICKET] ok" },
    ]);
    const events = gateway.anthropic().messages.stream({
      model: name,
      max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }],
    });
    expect(await events.finalText()).toBe("Write to [EMAIL] 👋 [TICKET] ok");
    const client = gateway.openai();
    const response = await client.responses.create({ model: name, input: "From ada@example.org" });
    expect(response.output_text).toBe("Write to [EMAIL] 👋 [TICKET] ok");
    const items = await client.responses.inputItems.list(response.id);
    expect(JSON.stringify(items.data)).toContain("[EMAIL]");
    expect(JSON.stringify([items.data, await client.responses.retrieve(response.id)])).not.toMatch(
      SECRET,
    );
  });

  it("ends before what is denied: content_filter, nothing of it, the provider's call ended, usage recorded", async () => {
    const name = await model("denied", {
      pieces: [
        "It is ",
        "Proj",
        "ect ",
        "FAL",
        "CON",
        ...Array.from({ length: 500 }, () => " more"),
      ],
      eventDelayMs: 20,
    });
    const client = gateway.openai();
    const stream = await client.chat.completions.create({
      model: name,
      stream: true,
      messages: [{ role: "user", content: "Hi" }],
    });
    let text = "";
    let reason: string | null = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      reason = chunk.choices[0]?.finish_reason ?? reason;
    }
    expect([text, reason]).toEqual(["It is ", "content_filter"]);
    await eventually(() => expect(sentTo("denied")[0]?.abortedAt).not.toBeNull());
    const [record] = await gateway.waitForRecords(name, 1);
    expect(record).toMatchObject({ status: 200, error_code: null, estimated: true });
    expect(record?.output_tokens).toBeGreaterThan(3);
    expect(record?.output_tokens).toBeLessThan(100);
  });

  it("ends there in one piece too, and in Anthropic's shape", async () => {
    const name = await model("denied-whole", { pieces: ["It is ", "Project Falcon", " indeed"] });
    const whole = await gateway.chat({ model: name, messages: userSays("Hi") });
    expect(await whole.json()).toMatchObject({
      choices: [{ message: { content: "It is " }, finish_reason: "content_filter" }],
      usage: { completion_tokens: expect.any(Number) },
    });
    const message = await gateway.anthropic().messages.create({
      model: name,
      max_tokens: 100,
      messages: [{ role: "user", content: "Hi" }],
    });
    expect(message.stop_reason).toBe("refusal");
    expect(JSON.stringify(message)).not.toMatch(SECRET);
  });

  it("is masked in the arguments of tools, which stay JSON", async () => {
    const name = await model("tools");
    const tools = [
      {
        type: "function" as const,
        function: {
          name: "send",
          parameters: { type: "object", properties: { city: { type: "string", default: "x" } } },
        },
      },
    ];
    const runner = gateway.openai().chat.completions.stream({
      model: name,
      tools,
      messages: [{ role: "user", content: "Send it" }],
    });
    const final = await runner.finalChatCompletion();
    const call = final.choices[0]?.message.tool_calls?.[0];
    expect(final.choices[0]?.finish_reason).toBe("tool_calls");
    const sent = call?.type === "function" ? call.function.arguments : "";
    expect(JSON.parse(sent)).toEqual({ city: '["CITY"]' }); // the provider splits it in the middle of the name
  });

  it("is not held back where it cannot match: the first event is there long before the second is sent", async () => {
    const name = await model("waits", { pieces: ["Hello, ", "there."], eventDelayMs: 2_000 });
    const response = await gateway.chat({ model: name, stream: true, messages: userSays("Hi") });
    const stream = await readEvents(response);
    const first = stream.events.find(({ data }) => data.includes("Hello"))?.at ?? 0;
    const next = stream.events.find(({ data }) => data.includes("there"))?.at ?? 0;
    expect(next - first).toBeGreaterThan(1_000);
  });
});

describe("sessions", () => {
  it("keep only what was masked, of both sides", async () => {
    const name = await model("session", { pieces: ["Noted: ada@", "example.org."] });
    const client = gateway.stack.client(gateway.key);
    for (const stream of [false, true]) {
      const response = await client.request("POST", "/v1/chat", {
        model: name,
        message: "I am ada@example.org",
        system: "Write to bob@example.org",
        stream,
      });
      const text = await response.text();
      expect(text).toContain("Noted: [EMAIL].");
      expect(text).not.toMatch(SECRET);
      const id = /sess_[0-9a-z]+/.exec(text)?.[0] ?? "";
      const messages = await eventually(async () => {
        const kept = await client.expect<{ data: { content: string }[] }>(
          200,
          "GET",
          `/v1/sessions/${id}/messages`,
        );
        expect(kept.data).toHaveLength(2);
        return kept.data;
      });
      expect(messages.map(({ content }) => content).sort()).toEqual([
        "I am [EMAIL]",
        "Noted: [EMAIL].",
      ]);
      expect(await client.expect(200, "GET", `/v1/sessions/${id}`)).toMatchObject({
        system: "Write to [EMAIL]",
      });
    }
    expect(JSON.stringify(sentTo("session").map(({ body }) => body))).not.toMatch(/ada@|bob@/);
  });
});

describe("the rules of a team", () => {
  it("are shown, audited, and hold in every process within a second, for answers that are kept too", async () => {
    const { teamId, key } = await gateway.stack.createTeam();
    const name = await model("change", { pieces: ["ada@example.org"] });
    const body = { model: name, messages: userSays("Who?") };
    const ask = async (api: { client(key: string): ReturnType<typeof gateway.stack.client> }) => {
      const response = await api
        .client(key)
        .request("POST", "/v1/chat/completions", body, { "x-cache-ttl": "600" });
      const { choices } = (await response.json()) as {
        choices: { message: { content: string } }[];
      };
      return choices[0]?.message.content;
    };
    for (const api of [gateway.stack, second, gateway.stack, second])
      expect(await ask(api)).toBe("ada@example.org");
    const rules = [
      { name: "mail", pii: ["email"], on: ["output"], action: "mask", replacement: "<gone>" },
    ];
    await setRules(rules, teamId);
    for (const api of [gateway.stack, second]) expect(await ask(api)).toBe("<gone>");
    const calls = sentTo("change").length;
    await eventually(async () => expect(await ask(second)).toBe("<gone>"));
    expect(sentTo("change").length).toBeLessThanOrEqual(calls + 1); // it is kept under the new rules
    expect(await admin().expect(200, "GET", path(teamId))).toMatchObject({
      data: rules,
      next_cursor: null,
    });
    const log = await admin().expect<{ data: object[] }>(
      200,
      "GET",
      `/v1/audit?action=team.guard_rails.set`,
      undefined,
      {
        "x-team-id": teamId,
      },
    );
    expect(log.data[0]).toMatchObject({
      after: { guard_rails: rules },
      before: { guard_rails: [] },
    });
    await setRules([], teamId);
    for (const api of [gateway.stack, second]) expect(await ask(api)).toBe("ada@example.org");
  });

  it("hold for a super admin who acts for the team as for its keys", async () => {
    const name = await model("super");
    const response = await admin().request(
      "POST",
      "/v1/chat/completions",
      { model: name, messages: userSays("Project Falcon") },
      { "x-team-id": gateway.teamId },
    );
    expect(((await response.json()) as OpenAiError).error.code).toBe("content_filter");
    expect(sentTo("super")).toEqual([]);
  });

  it("are another team's business as little as the team itself", async () => {
    const stranger = await gateway.stack.createTeam();
    for (const method of ["GET", "PUT"]) {
      const response = await stranger.client.request(
        method,
        path(),
        method === "PUT" ? { rules: [] } : undefined,
      );
      expect(response.status).toBe(404);
    }
    const name = await model("stranger", { pieces: ["ada@example.org"] });
    const response = await gateway.chat(
      { model: name, messages: userSays("Project Falcon") },
      { key: stranger.key },
    );
    expect(await response.text()).toContain("ada@example.org");
  });

  it.each([
    ["rules.0.pattern", { pattern: "a(?=b)" }, /no looking around.*at character 3/],
    ["rules.0.pattern", { pattern: "x*" }, /would match where nothing is/],
    ["rules.0.pattern", { pattern: "(a{100}){100}" }, /too large/],
    ["rules.0.name", {}, /exactly one of phrases, pattern and pii/],
    ["rules.0.name", { pattern: "a", pii: ["email"] }, /exactly one/],
    ["rules.0.pii.0", { pii: ["shoe-size"] }, /./],
    [
      "rules.0.replacement",
      { phrases: ["gone"], action: "mask", replacement: "[GONE]" },
      /would itself be found/,
    ],
    ["rules.0.replacement", { phrases: ["a"], replacement: "x" }, /belongs to rules that mask/],
    ["rules.0.phrases", { phrases: Array.from({ length: 10_001 }, () => "a") }, /./],
  ])("are refused with 422 at %s: %j", async (field, rule, sentence) => {
    const response = await admin().request("PUT", path(), {
      rules: [{ name: "x", action: "deny", ...rule }],
    });
    expect(response.status).toBe(422);
    const problem = (await response.json()) as { errors: { path: string; message: string }[] };
    expect(problem.errors[0]?.path).toBe(field);
    expect(problem.errors[0]?.message).toMatch(sentence);
  });

  it("may be ten thousand phrases", async () => {
    const { teamId, key } = await gateway.stack.createTeam();
    const phrases = Array.from({ length: 10_000 }, (_, index) => `secret number ${index * 7919}`);
    await setRules([{ name: "numbers", phrases, action: "deny" }], teamId);
    const name = await model("many");
    const response = await gateway.chat(
      { model: name, messages: userSays("the Secret Number 79190") },
      { key },
    );
    expect(response.status).toBe(400);
    const other = await gateway.chat({ model: name, messages: userSays("no number") }, { key });
    expect(other.status).toBe(200);
  });
});

interface RailCounts {
  input_denied: number;
  input_masked: number;
  output_denied: number;
  output_masked: number;
}

describe("what guard rails did", () => {
  it("is counted by request, in every shape, for the team and in total, and said in its record", async () => {
    const stats = async (client = admin()) =>
      (await client.expect<{ guard_rails: RailCounts }>(200, "GET", "/gateway/stats")).guard_rails;
    const before = await stats();
    const { teamId, key } = await gateway.stack.createTeam();
    const client = gateway.stack.client(key);
    await setRules(RULES, teamId);
    const status = async (path: string, body: object) => {
      const response = await client.request("POST", path, body);
      await response.text();
      return response.status;
    };
    const chat = (name: string, said: string, more: object = {}) =>
      status("/v1/chat/completions", { model: name, messages: userSays(said), ...more });
    const says = (name: string, ...pieces: string[]) => model(name, { pieces });
    const plain = await says("counted-plain", "Hello");
    const failing = await model("counted-failing", { status: 500 });
    const masked = await says("counted-masked", "In Teh", "ran", ", ada@", "example.org");
    const denied = await says("counted-denied", "Of ada@example.org and Project ", "Falcon.");
    const mine = "I am ada@example.org";
    // Untouched.
    expect(await chat(plain, "Hi")).toBe(200);
    expect(await chat(plain, "Hi", { stream: true })).toBe(200);
    // Masked on the way in, whichever way it comes and whatever becomes of it.
    expect(await chat(plain, mine)).toBe(200);
    expect(await chat(plain, mine, { stream: true })).toBe(200);
    expect(await chat(failing, mine)).toBe(502);
    expect(await status("/v1/responses", { model: plain, input: mine })).toBe(200);
    expect(await status("/v1/chat", { model: plain, message: mine })).toBe(200);
    expect(await status("/v1/embeddings", { model: plain, input: mine })).toBe(200);
    const anthropic = { model: plain, max_tokens: 10, messages: userSays(mine) };
    expect(await status("/v1/messages", anthropic)).toBe(200);
    // Denied on the way in.
    const secret = "Project Falcon";
    expect(await chat(plain, secret)).toBe(400);
    expect(await status("/v1/responses", { model: plain, input: secret })).toBe(400);
    expect(await status("/v1/chat", { model: plain, message: secret })).toBe(400);
    // On the way out; what is denied was masked before, and one was masked on the way in as well.
    expect(await chat(masked, "Hi")).toBe(200);
    expect(await chat(masked, mine, { stream: true })).toBe(200);
    expect(await chat(denied, "Hi")).toBe(200);
    expect(await chat(denied, "Hi", { stream: true })).toBe(200);
    const expected = { input_denied: 3, input_masked: 8, output_denied: 2, output_masked: 4 };
    await eventually(async () => expect(await stats(client)).toEqual(expected));
    const after = await stats();
    for (const name of Object.keys(expected) as (keyof RailCounts)[])
      expect(after[name]).toBeGreaterThanOrEqual(before[name] + expected[name]);
    const records = await client.expect<{ data: { guard_rails: string[] | null }[] }>(
      200,
      "GET",
      "/v1/usage/records",
    );
    const told = records.data.map(({ guard_rails: rails }) => rails?.join(" ") ?? "");
    expect(told.toSorted()).toEqual(
      [
        "",
        "",
        ...Array<string>(7).fill("input_masked"),
        ...Array<string>(3).fill("input_denied"),
        "output_masked",
        "input_masked output_masked",
        ...Array<string>(2).fill("output_denied output_masked"),
      ].toSorted(),
    );
  });

  it("leaves hits of the response cache out on the way out: they went through before they were kept", async () => {
    const { teamId, key } = await gateway.stack.createTeam();
    const client = gateway.stack.client(key);
    await setRules(RULES, teamId);
    const name = await model("counted-cached", { pieces: ["In Tehran"] });
    let hits = 0;
    let misses = 0;
    await eventually(async () => {
      const body = { model: name, messages: userSays("where?") };
      const headers = { "x-cache-ttl": "60" };
      const response = await client.request("POST", "/v1/chat/completions", body, headers);
      expect(await response.text()).toContain("CITY");
      if (response.headers.get("x-cache") === "hit") hits++;
      else misses++;
      expect(hits).toBe(2);
    });
    await eventually(async () => {
      const told = await client.expect<{ requests: number; guard_rails: RailCounts }>(
        200,
        "GET",
        "/gateway/stats",
      );
      expect(told.requests).toBe(hits + misses);
      expect(told.guard_rails.output_masked).toBe(misses);
    });
  });
});
