import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "#test/harness/eventually.ts";
import { PROMPT_TOKENS } from "#test/providers/completion-protocol.ts";
import type { Fault } from "#test/providers/fault.ts";
import { MOCK_MODEL, rejection, type ShapesStack, startShapes } from "./shapes-stack.ts";

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

describe("responses by OpenAI's official client", () => {
  it("answer whole, with usage, for the provider's request as a chat completion", async () => {
    const model = await gateway.addScripted("r-whole", {});
    const response = await gateway.openai().responses.create({
      model,
      instructions: "Be brief",
      input: "hi",
      max_output_tokens: 50,
      metadata: { a: "b" },
      safety_identifier: "user-7",
    });
    expect(response.output_text).toBe("You said: hi");
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      metadata: { a: "b" },
      usage: { input_tokens: PROMPT_TOKENS, output_tokens: 3, total_tokens: PROMPT_TOKENS + 3 },
    });
    expect(gateway.provider.requestsFor(model)[0]?.body).toEqual({
      model,
      messages: [
        { role: "system", content: "Be brief" },
        { role: "user", content: "hi" },
      ],
      max_completion_tokens: 50,
      user: "user-7",
    });
    const [record] = await gateway.waitForRecords(model, 1);
    expect(record).toMatchObject({ status: 200, end_user: "user-7" });
    expect(response.id).toBe(record?.id.replace("req_", "resp_"));
  });

  it.each(["builtin", MOCK_MODEL])("stream to a final response: %s", async (model) => {
    const seen: string[] = [];
    const numbers: number[] = [];
    const stream = gateway.openai().responses.stream({ model, input: "good day to you" });
    stream.on("response.output_text.delta", ({ delta }) => seen.push(delta));
    stream.on("event", (event) => numbers.push(event.sequence_number));
    const final = await stream.finalResponse();
    expect(seen.length).toBeGreaterThan(1);
    expect(final.output_text).toBe(seen.join(""));
    expect(final.status).toBe("completed");
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });

  it("send the events of the protocol, in its order", async () => {
    const model = await gateway.addScripted("r-events", {});
    const stream = await gateway.openai().responses.create({ model, input: "hi", stream: true });
    const types: string[] = [];
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      ...Array(3).fill("response.output_text.delta"),
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
  });

  it.each([false, true])("go round with tools; streamed: %s", async (streamed) => {
    const model = await gateway.addScripted(`r-tools-${streamed}`, {});
    const { responses } = gateway.openai();
    const ask = (params: Params) =>
      streamed
        ? responses.stream({ ...params, stream: true }).finalResponse()
        : responses.create(params);
    const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: "Weather?" }];
    const first = await ask({ model, input, tools: [WEATHER] });
    const [call] = first.output;
    expect(call).toMatchObject({
      type: "function_call",
      name: "weather",
      arguments: '{"city":"Tehran"}',
    });
    if (call?.type !== "function_call") return;
    const output = {
      type: "function_call_output" as const,
      call_id: call.call_id,
      output: "sunny",
    };
    const second = await ask({ model, input: [...input, call, output], tools: [WEATHER] });
    expect(second.output_text).toBe("The tool said: sunny");
  });

  it("send pictures on", async () => {
    const model = await gateway.addScripted("r-pictures", {});
    const response = await gateway.openai().responses.create({
      model,
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "what is this?" },
            { type: "input_image", detail: "low", image_url: "https://example.com/cat.png" },
          ],
        },
      ],
    });
    expect(response.output_text).toBe("You sent 1 images and said: what is this?");
  });

  it("are incomplete where the limit of tokens says so", async () => {
    const model = await gateway.addScripted("r-cap", {});
    const params = { model, input: "hi", max_output_tokens: 2 };
    for (const response of [
      await gateway.openai().responses.create(params),
      await gateway.openai().responses.stream(params).finalResponse(),
    ])
      expect(response).toMatchObject({
        status: "incomplete",
        incomplete_details: { reason: "max_output_tokens" },
      });
  });
});

describe("responses that fail", () => {
  it.each<[string, Partial<Params>, string]>([
    [
      "an earlier response that is none",
      { previous_response_id: "resp_1" },
      "previous_response_id",
    ],
    ["log probabilities", { top_logprobs: 3 }, "top_logprobs"],
    ["log probabilities", { include: ["message.output_text.logprobs"] }, "include.0"],
    [
      "an item that is not kept",
      { input: [{ type: "item_reference", id: "msg_1" }] },
      "input.0.id",
    ],
    ["a tool of OpenAI's own", { tools: [{ type: "web_search" }] }, "tools.0.type"],
    ["work in the background", { background: true }, "background"],
  ])("are refused with the parameter's name: %s", async (_name, more, param) => {
    const params = { model: "builtin", input: "hi", ...more };
    const error = await rejection(gateway.openai().responses.create(params));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param, code: "invalid_request" });
  });

  it("throw the official client's errors", async () => {
    const ask = (model: string, client = gateway.openai()) =>
      rejection(client.responses.create({ model, input: "hi" }));
    expect(await ask("r-none")).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await ask("builtin", gateway.openai({ apiKey: "no" }))).toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    const limited = await gateway.addScripted("r-429", { status: 429 });
    expect(await ask(limited)).toBeInstanceOf(OpenAI.RateLimitError);
    const broken = await gateway.addScripted("r-500", { status: 500 });
    expect(await ask(broken)).toBeInstanceOf(OpenAI.InternalServerError);
  });

  it.each<[string, Fault]>([
    ["cut", { stopAfter: 2, ending: "cut" }],
    ["early-end", { stopAfter: 2, ending: "clean_cut" }],
    ["error", { stopAfter: 2, ending: "error_event" }],
  ])("in mid-stream throw: %s", async (name, fault) => {
    const model = await gateway.addScripted(`r-${name}`, fault);
    const stream = gateway.openai().responses.stream({ model, input: "hi" });
    const error = await rejection(stream.finalResponse());
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(await gateway.waitForRecords(model, 1)).toMatchObject([{ status: 502 }]);
  });

  it("by the application's abort end the provider's call, with one record", async () => {
    const pieces = Array.from({ length: 600 }, (_, index) => `${index} `);
    const model = await gateway.addScripted("r-abort", { pieces, eventDelayMs: 50 });
    const stream = await gateway.openai().responses.create({ model, input: "hi", stream: true });
    let count = 0;
    for await (const _ of stream) if (++count === 8) break;
    await eventually(() =>
      expect(gateway.provider.requestsFor(model)[0]?.abortedAt).not.toBeNull(),
    );
    expect(await gateway.waitForRecords(model, 1)).toMatchObject([{ status: 499 }]);
  });
});
