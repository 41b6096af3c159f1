import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { rejection, type ShapesStack, startShapes } from "./shapes-stack.ts";

/** Responses that are kept, by OpenAI's official client: gone on from, read, listed, deleted. */

type Params = OpenAI.Responses.ResponseCreateParamsNonStreaming;

let gateway: ShapesStack;
beforeAll(async () => {
  gateway = await startShapes(inject("postgres"));
});
afterAll(() => gateway?.stop());

const WEATHER: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "weather",
  strict: null,
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

/** The messages that the provider got with its last request for a model. */
function lastMessages(model: string): unknown[] {
  const body = gateway.provider.requestsFor(model).at(-1)?.body;
  return (body as { messages: unknown[] } | undefined)?.messages ?? []; // as every chat completion has them
}

const ask = (streamed: boolean, params: Params, client = gateway.openai()) =>
  streamed
    ? client.responses.stream({ ...params, stream: true }).finalResponse()
    : client.responses.create(params);

async function listed(id: string, query: OpenAI.Responses.InputItemListParams = {}) {
  const items: OpenAI.Responses.ResponseItem[] = [];
  for await (const item of gateway.openai().responses.inputItems.list(id, query)) items.push(item);
  return items;
}

describe.each([false, true])("a response that is kept; streamed: %s", (streamed) => {
  it("is gone on from, branch by branch, with instructions of each turn's own", async () => {
    const model = await gateway.addScripted(`k-chain-${streamed}`, {});
    const first = await ask(streamed, { model, input: "one", instructions: "Be brief" });
    expect(first).toMatchObject({ store: true, previous_response_id: null });
    const second = await ask(streamed, { model, input: "two", previous_response_id: first.id });
    expect(second.previous_response_id).toBe(first.id);
    const said = [
      { role: "user", content: "one" },
      { role: "assistant", content: first.output_text },
    ];
    expect(lastMessages(model)).toEqual([...said, { role: "user", content: "two" }]);
    await ask(streamed, { model, input: "three", previous_response_id: second.id });
    expect(lastMessages(model)).toEqual([
      ...said,
      { role: "user", content: "two" },
      { role: "assistant", content: second.output_text },
      { role: "user", content: "three" },
    ]);
    await ask(streamed, { model, input: "another two", previous_response_id: first.id });
    expect(lastMessages(model)).toEqual([...said, { role: "user", content: "another two" }]);
  });

  it("is read again word for word as soon as it was answered, and its input listed", async () => {
    const model = await gateway.addScripted(`k-read-${streamed}`, {});
    const client = gateway.stack.client(gateway.key);
    const text = async (method: string, path: string, body?: object) =>
      (await client.request(method, path, body)).text();
    const params = { model, input: "one", metadata: { a: "b" }, stream: streamed };
    const answer = await text("POST", "/v1/responses", params);
    const lastEvent = /event: response.completed\ndata: (.+)\n/.exec(answer)?.[1];
    const first = streamed
      ? (JSON.parse(lastEvent ?? "") as { response: OpenAI.Responses.Response }).response // as the protocol has it
      : (JSON.parse(answer) as OpenAI.Responses.Response);
    expect(await text("GET", `/v1/responses/${first.id}`)).toBe(JSON.stringify(first));
    const read = await gateway.openai().responses.retrieve(first.id);
    expect(read.output_text).toBe("You said: one");
    const second = await ask(streamed, {
      model,
      input: [{ role: "user", content: "two" }],
      previous_response_id: first.id,
    });
    const texts = (items: OpenAI.Responses.ResponseItem[]) =>
      items.map((item) => {
        const [part] = item.type === "message" ? item.content : [];
        return part && "text" in part ? part.text : "";
      });
    const inOrder = ["one", "You said: one", "two"];
    expect(texts(await listed(second.id, { order: "asc", limit: 1 }))).toEqual(inOrder);
    expect(texts(await listed(second.id))).toEqual(inOrder.toReversed());
  });

  it("goes round with tools by sending nothing but their output", async () => {
    const model = await gateway.addScripted(`k-tools-${streamed}`, {});
    const first = await ask(streamed, { model, input: "Weather?", tools: [WEATHER] });
    const [call] = first.output;
    if (call?.type !== "function_call") throw new Error("The model called no tool");
    const second = await ask(streamed, {
      model,
      previous_response_id: first.id,
      input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }],
      tools: [WEATHER],
    });
    expect(second.output_text).toBe("The tool said: sunny");
    expect((await listed(second.id, { order: "asc" })).map(({ type }) => type)).toEqual([
      "message",
      "function_call",
      "function_call_output",
    ]);
  });

  it("is not kept where the request says so", async () => {
    const model = await gateway.addScripted(`k-off-${streamed}`, {});
    const response = await ask(streamed, { model, input: "one", store: false });
    expect(response).toMatchObject({ store: false });
    const { responses } = gateway.openai();
    expect(await rejection(responses.retrieve(response.id))).toBeInstanceOf(OpenAI.NotFoundError);
    const next = ask(streamed, { model, input: "two", previous_response_id: response.id });
    expect(await rejection(next)).toMatchObject({ status: 400, param: "previous_response_id" });
  });
});

describe("kept responses", () => {
  it("are deleted for good, and what goes on from them cannot be gone on from", async () => {
    const { responses } = gateway.openai();
    const model = await gateway.addScripted("k-delete", {});
    const first = await responses.create({ model, input: "the secret of the north wind" });
    const second = await responses.create({ model, input: "two", previous_response_id: first.id });
    expect(await responses.delete(first.id)).toMatchObject({ id: first.id, deleted: true });
    expect(await rejection(responses.retrieve(first.id))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await rejection(responses.delete(first.id))).toBeInstanceOf(OpenAI.NotFoundError);
    expect((await responses.retrieve(second.id)).output_text).toBe(second.output_text);
    const goingOn = (id: string) =>
      rejection(responses.create({ model, input: "x", previous_response_id: id }));
    expect(await goingOn(first.id)).toMatchObject({ status: 400 });
    expect(await goingOn(second.id)).toMatchObject({
      status: 400,
      param: "previous_response_id",
    });
    expect(gateway.provider.requestsFor(model)).toHaveLength(2);
  });

  it("are not there for another team, whichever way it asks", async () => {
    const model = await gateway.addScripted("k-tenant", {});
    const own = await gateway.openai().responses.create({ model, input: "ours" });
    const other = await gateway.stack.createTeam();
    const stranger = gateway.openai({ apiKey: other.key }).responses;
    for (const attempt of [
      () => stranger.retrieve(own.id),
      () => stranger.delete(own.id),
      () => stranger.inputItems.list(own.id),
    ])
      expect(await rejection(attempt())).toMatchObject({ status: 404 });
    const item = own.output[0]?.id ?? "";
    for (const params of [
      { input: "x", previous_response_id: own.id },
      { input: [{ type: "item_reference" as const, id: item }] },
    ])
      expect(await rejection(stranger.create({ model, ...params }))).toMatchObject({ status: 400 });
    expect((await gateway.openai().responses.retrieve(own.id)).id).toBe(own.id);
  });

  it("can be pointed into, item by item", async () => {
    const { responses } = gateway.openai();
    const model = await gateway.addScripted("k-items", {});
    const first = await responses.create({ model, input: "one" });
    await responses.create({
      model,
      input: [
        { role: "user", content: "one" },
        { type: "item_reference", id: first.output[0]?.id ?? "" },
        { role: "user", content: "two" },
      ],
    });
    expect(lastMessages(model)).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: first.output_text },
      { role: "user", content: "two" },
    ]);
  });

  it("hold pictures of several megabytes, beyond what one row holds", async () => {
    const { responses } = gateway.openai();
    const model = await gateway.addScripted("k-large", {});
    const image_url = `data:image/png;base64,${"A".repeat(5_000_000)}`;
    const first = await responses.create({
      model,
      input: [{ role: "user", content: [{ type: "input_image", detail: "low", image_url }] }],
    });
    await responses.create({ model, input: "what was it?", previous_response_id: first.id });
    expect(JSON.stringify(lastMessages(model))).toContain(image_url);
    const again = responses.create({
      model,
      previous_response_id: first.id,
      input: [{ role: "user", content: [{ type: "input_image", detail: "low", image_url }] }],
    });
    const third = await again;
    const tooLong = responses.create({ model, input: "x", previous_response_id: third.id });
    expect(await rejection(tooLong)).toMatchObject({ status: 400, code: "context_too_long" });
  });

  it("are each other's equals where the response cache answers, and each is kept by itself", async () => {
    const { responses } = gateway.openai({ defaultHeaders: { "x-cache-ttl": "60" } });
    const model = await gateway.addScripted("k-cached", {});
    const first = await responses.create({ model, input: "one" });
    const hit = await eventually(async () => {
      const { data, response } = await responses.create({ model, input: "one" }).withResponse();
      expect(response.headers.get("x-cache")).toBe("hit");
      return data;
    });
    expect(hit.output_text).toBe(first.output_text);
    expect(hit.id).not.toBe(first.id);
    await responses.delete(first.id);
    await responses.create({ model, input: "two", previous_response_id: hit.id });
    expect(lastMessages(model)).toHaveLength(3);
  });

  it("take any number of branches at once", async () => {
    const { responses } = gateway.openai();
    const model = await gateway.addScripted("k-branches", {});
    const root = await responses.create({ model, input: "root" });
    const branches = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        responses.create({ model, input: `branch ${index}`, previous_response_id: root.id }),
      ),
    );
    const read = await Promise.all(branches.map(({ id }) => listed(id, { order: "asc" })));
    expect(read.map((items) => JSON.stringify(items.at(-1)))).toEqual(
      branches.map((_, index) => expect.stringContaining(`branch ${index}"`)),
    );
  });

  it("survive kill -9 of everything, from the moment they were answered", async () => {
    const model = await gateway.addScripted("k-kill", {});
    const whole = await ask(false, { model, input: "one" });
    const stream = await ask(true, { model, input: "two", previous_response_id: whole.id });
    await gateway.stack.kill();
    await gateway.stack.restart();
    const { responses } = gateway.openai();
    for (const { id, output_text: text } of [whole, stream])
      expect((await responses.retrieve(id)).output_text).toBe(text);
    await responses.create({ model, input: "three", previous_response_id: stream.id });
    expect(lastMessages(model)).toHaveLength(5);
  });

  it("are not kept of an answer that broke off", async () => {
    const model = await gateway.addScripted("k-cut", { stopAfter: 2, ending: "cut" });
    let id = "";
    const stream = gateway.openai().responses.stream({ model, input: "hi" });
    stream.on("response.created", ({ response }) => (id = response.id));
    await rejection(stream.finalResponse());
    expect(id).not.toBe("");
    const { responses } = gateway.openai();
    expect(await rejection(responses.retrieve(id))).toBeInstanceOf(OpenAI.NotFoundError);
  });
});

// The last ones: they change how long responses are kept.
describe("responses over their time", () => {
  const SECONDS = 6;

  it("are gone, while those that go on from them keep what was said", async () => {
    await gateway.stack.restart({ RESPONSE_DAYS: String(SECONDS / 86_400) });
    const { responses } = gateway.openai();
    const model = await gateway.addScripted("k-time", {});
    const first = await responses.create({ model, input: "one" });
    let last = first;
    const goOn = async () =>
      (last = await responses.create({ model, input: "more", previous_response_id: last.id }));
    await eventually(async () => {
      await goOn();
      expect(await rejection(responses.retrieve(first.id))).toBeInstanceOf(OpenAI.NotFoundError);
    });
    await goOn();
    expect(lastMessages(model)[0]).toEqual({ role: "user", content: "one" });
    await eventually(async () =>
      expect(await rejection(responses.retrieve(last.id))).toBeInstanceOf(OpenAI.NotFoundError),
    );
  });

  it("are never kept where the operator keeps none", async () => {
    await gateway.stack.restart({ RESPONSE_DAYS: "0" });
    const model = await gateway.addScripted("k-none", {});
    for (const streamed of [false, true])
      expect(await ask(streamed, { model, input: "one" })).toMatchObject({ store: false });
  });
});
