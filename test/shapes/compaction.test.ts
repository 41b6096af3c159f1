import type OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { rejection, type ShapesStack, startShapes } from "./shapes-stack.ts";

/** What OpenAI's official client does with a conversation besides having it: count it, put it in short, cancel. */

let gateway: ShapesStack;
beforeAll(async () => {
  gateway = await startShapes(inject("postgres"));
});
afterAll(() => gateway?.stop());

type Message = { role: string; content: string };

/** The messages that the provider got with its last request for a model. */
function lastMessages(model: string): Message[] {
  const body = gateway.provider.requestsFor(model).at(-1)?.body;
  return (body as { messages: Message[] } | undefined)?.messages ?? []; // as every chat completion has them
}

const SUMMARY = "Zoe has a blue boat; it is called Ahab.";
const SUMMARIZES = { pieces: [SUMMARY] };

const CONVERSATION: OpenAI.Responses.ResponseInputItem[] = [
  { role: "user", content: "My boat is blue." },
  { role: "assistant", content: "What is it called?" },
  {
    role: "user",
    content: [
      { type: "input_text", text: "Ahab, as here:" },
      { type: "input_image", detail: "low", image_url: "data:image/png;base64,AAAA" },
    ],
  },
  { type: "function_call", call_id: "c1", name: "lookup", arguments: '{"boat":"Ahab"}' },
  { type: "function_call_output", call_id: "c1", output: "built 1990" },
];

describe("responses.compact", () => {
  it("puts a conversation in short: what the user said word for word, and a sealed summary", async () => {
    const model = await gateway.addScripted("c-short", SUMMARIZES);
    const { responses } = gateway.openai();
    const compacted = await responses.compact({
      model,
      input: CONVERSATION,
      instructions: "Be a sailor",
    });
    expect(compacted).toMatchObject({
      object: "response.compaction",
      output: [
        { type: "message", role: "user", content: [{ type: "input_text" }] },
        { type: "message", role: "user", content: [{}, { type: "input_image" }] },
        { type: "compaction" },
      ],
      usage: { input_tokens: expect.any(Number), output_tokens: expect.any(Number) },
    });
    expect(JSON.stringify(compacted)).not.toContain(SUMMARY);
    const [system, shown] = lastMessages(model);
    expect(system?.content).toContain("Be a sailor");
    for (const said of ["My boat is blue.", "What is it called?", "[picture]", "built 1990"])
      expect(shown?.content).toContain(said);
    const [record] = await gateway.waitForRecords(model, 1);
    expect(record).toMatchObject({ status: 200, input_tokens: compacted.usage.input_tokens });
  });

  it("gives what a later request goes on from, also with another model and once more in short", async () => {
    const model = await gateway.addScripted("c-model", SUMMARIZES);
    const other = await gateway.addScripted("c-other", {});
    const { responses } = gateway.openai();
    const { output } = await responses.compact({ model, input: CONVERSATION.slice(0, 2) });
    const input = [...(output as OpenAI.Responses.ResponseInputItem[])]; // what was put out may be put in
    const question = { role: "user" as const, content: "What colour is it?" };
    const next = await responses.create({ model: other, input: [...input, question] });
    const summary = { role: "assistant", content: expect.stringContaining(SUMMARY) };
    const said = [{ role: "user", content: "My boat is blue." }, summary, question];
    expect(lastMessages(other)).toEqual(said);
    // It is kept as it came, and read again when the response is gone on from.
    await responses.create({ model: other, input: "And?", previous_response_id: next.id });
    expect(lastMessages(other).slice(0, 3)).toEqual(said);
    await responses.compact({ model, previous_response_id: next.id });
    const again = lastMessages(model)[1]?.content;
    for (const text of [SUMMARY, "What colour is it?", next.output_text])
      expect(again).toContain(text);
  });

  it("gives a summary that is of no use to another team, and cannot be changed", async () => {
    const model = await gateway.addScripted("c-sealed", SUMMARIZES);
    const { output } = await gateway.openai().responses.compact({ model, input: "Hello" });
    const summary = output.at(-1);
    if (summary?.type !== "compaction") throw new Error("There is no summary");
    const stranger = gateway.openai({ apiKey: (await gateway.stack.createTeam()).key });
    const asked = (item: OpenAI.Responses.ResponseCompactionItemParam, client = gateway.openai()) =>
      rejection(client.responses.create({ model, input: [item, { role: "user", content: "x" }] }));
    const refusal = { status: 400, param: "input.0.encrypted_content" };
    expect(await asked(summary, stranger)).toMatchObject(refusal);
    const changed = summary.encrypted_content.slice(0, -6) + "AAAAA=";
    for (const encrypted_content of [changed, "", "v1.a.b"])
      expect(await asked({ ...summary, encrypted_content })).toMatchObject(refusal);
    expect(gateway.provider.requestsFor(model)).toHaveLength(1);
  });

  it.each([
    ["that says nothing", { pieces: [" "] }],
    ["that was kept back", { pieces: ["Zoe has"], finishReason: "content_filter" }],
    ["that was cut", { pieces: ["Zoe has"], finishReason: "length" }],
  ])("fails with a summary %s", async (name, script) => {
    const model = await gateway.addScripted(`c-${name.replaceAll(" ", "-")}`, script);
    const failed = gateway.openai().responses.compact({ model, input: "Hello" });
    expect(await rejection(failed)).toMatchObject({ status: 502, code: "provider_error" });
  });

  it("is refused like any request where limits are reached, where the model fails and where nothing was said", async () => {
    const team = await gateway.stack.createTeam();
    await gateway.stack.admin.expect(200, "PUT", `/v1/teams/${team.teamId}/limits`, {
      limits: [{ unit: "requests", window: "day", max: 1 }],
    });
    const model = await gateway.addScripted("c-refused", (earlier) =>
      earlier === 0 ? { status: 500 } : SUMMARIZES,
    );
    const { responses } = gateway.openai({ apiKey: team.key });
    const statusOf = async (body: OpenAI.Responses.ResponseCompactParams) =>
      rejection(responses.compact(body));
    expect(await statusOf({ model })).toMatchObject({ status: 400, param: "input" });
    expect(await statusOf({ model, input: "x" })).toMatchObject({ status: 502 });
    expect(await statusOf({ model, input: "x" })).toMatchObject({ status: 429 });
  });
});

describe("responses.inputTokens", () => {
  it("estimates a conversation with its tools and what it goes on from, without asking anybody", async () => {
    const model = await gateway.addScripted("c-count", {});
    const { responses } = gateway.openai();
    const count = async (body: OpenAI.Responses.InputTokenCountParams) => {
      const answer = await responses.inputTokens.count(body);
      expect(answer.object).toBe("response.input_tokens");
      return answer.input_tokens;
    };
    const short = await count({ model, input: "hi" });
    expect(short).toBeGreaterThan(0);
    expect(await count({ input: "hi" })).toBe(short);
    const long = await count({ model, input: "word ".repeat(1_000), instructions: "Be brief" });
    expect(long).toBeGreaterThan(900);
    expect(long).toBeLessThan(1_100);
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const tool = { type: "function" as const, name: "weather", parameters, strict: null };
    expect(await count({ model, input: "hi", tools: [tool] })).toBeGreaterThan(short);
    const first = await responses.create({ model, input: "word ".repeat(500) });
    const goesOn = { model, previous_response_id: first.id };
    expect(await count({ ...goesOn, input: "hi" })).toBeGreaterThan(900); // the answer repeats it
    expect(await count(goesOn)).toBeGreaterThan(900);
    expect(gateway.provider.requestsFor(model)).toHaveLength(1);
    await gateway.waitForRecords(model, 1);
    const missing = responses.inputTokens.count({ model: "no-such-model", input: "hi" });
    expect(await rejection(missing)).toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("what cannot be done without responses in the background", () => {
  it("is said in a sentence: cancelling, and a WebSocket", async () => {
    const model = await gateway.addScripted("c-cancel", {});
    const { responses } = gateway.openai();
    const response = await responses.create({ model, input: "hi" });
    expect(await rejection(responses.cancel(response.id))).toMatchObject({
      status: 400,
      code: "invalid_request",
      message: expect.stringContaining("has ended"),
    });
    expect((await responses.retrieve(response.id)).output_text).toBe(response.output_text);
    const unknown = response.id.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await rejection(responses.cancel(unknown))).toMatchObject({ status: 404 });
    const stranger = gateway.openai({ apiKey: (await gateway.stack.createTeam()).key });
    expect(await rejection(stranger.responses.cancel(response.id))).toMatchObject({ status: 404 });
    const listed = await gateway.stack.client(gateway.key).request("GET", "/v1/responses");
    expect([listed.status, listed.headers.get("allow")]).toEqual([405, "POST"]);
    expect(await listed.text()).toContain("WebSocket");
  });
});
