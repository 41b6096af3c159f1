import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { CLIENT_SENTENCE } from "#test/providers/fault-provider.ts";
import type { Fault } from "#test/providers/fault.ts";
import { openAiClient, type OpenAiTarget, rejection } from "./openai-target.ts";

const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: "user", content: "hi" }];

/** What applications see of failures, and which of those they try again. */
export function describeErrors(target: () => OpenAiTarget): void {
  const ask = (model: string, client = openAiClient(target())) =>
    client.chat.completions.create({ model, messages });
  const failing = (model: string, fault: Fault) => {
    target().provider.script(model, fault);
    return rejection(ask(model));
  };

  describe("errors of the official client", () => {
    it("AuthenticationError for a key that is none", async () => {
      const error = await rejection(ask("suite", openAiClient(target(), { apiKey: "sk-wrong" })));
      expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
      expect(error).toMatchObject({ status: 401, code: "invalid_api_key" });
    });

    it("PermissionDeniedError for what the key may not do", async () => {
      const { restrictedKey, deniedModel } = target();
      const client = openAiClient(target(), { apiKey: restrictedKey });
      const error = await rejection(ask(deniedModel, client));
      expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    });

    it("NotFoundError for a model that does not exist", async () => {
      const error = await rejection(ask("no-such-model"));
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: "model_not_found", type: "invalid_request_error" });
    });

    it("BadRequestError with the provider's own sentence and parameter", async () => {
      const error = await failing("errors-400", { status: 400 });
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error).toMatchObject({ param: "temperature", type: "invalid_request_error" });
      expect(String(error)).toContain(CLIENT_SENTENCE);
    });

    it("UnprocessableEntityError stays one", async () => {
      const error = await failing("errors-422", { status: 422 });
      expect(error).toBeInstanceOf(OpenAI.UnprocessableEntityError);
      expect(String(error)).toContain(CLIENT_SENTENCE);
    });

    it("RateLimitError with the time to wait", async () => {
      const error = await failing("errors-429", { status: 429, headers: { "retry-after": "7" } });
      expect(error).toBeInstanceOf(OpenAI.RateLimitError);
      if (error instanceof OpenAI.RateLimitError)
        expect(error.headers?.get("retry-after")).toBe("7");
    });

    it.each([500, 503])("InternalServerError for a provider's %i", async (status) => {
      const error = await failing(`errors-${status}`, { status });
      expect(error).toBeInstanceOf(OpenAI.InternalServerError);
    });

    it("APIConnectionTimeoutError when the client waits no longer", async () => {
      target().provider.script("errors-slow", { firstByteDelayMs: 3_000 });
      const client = openAiClient(target(), { timeout: 150 });
      expect(await rejection(ask("errors-slow", client))).toBeInstanceOf(
        OpenAI.APIConnectionTimeoutError,
      );
    });

    it("APIConnectionError when nobody is there", async () => {
      const client = openAiClient(target(), { baseURL: "http://127.0.0.1:1/v1" });
      expect(await rejection(ask("suite", client))).toBeInstanceOf(OpenAI.APIConnectionError);
    });

    it("APIUserAbortError when the application ends it before the answer", async () => {
      target().provider.script("errors-abort", { firstByteDelayMs: 3_000 });
      const controller = new AbortController();
      const asked = openAiClient(target()).chat.completions.create(
        { model: "errors-abort", messages },
        { signal: controller.signal },
      );
      setTimeout(() => controller.abort(), 100);
      expect(await rejection(asked)).toBeInstanceOf(OpenAI.APIUserAbortError);
    });

    it("an APIError in mid-stream when the provider sends one there", async () => {
      target().provider.script("errors-in-stream", { stopAfter: 2, ending: "error_event" });
      const stream = await openAiClient(target()).chat.completions.create({
        model: "errors-in-stream",
        messages,
        stream: true,
      });
      let text = "";
      const error = await rejection(
        (async () => {
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
        })(),
      );
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect(text).toBe("You said:");
    });
  });

  describe("the official client's view of a request", () => {
    it("has its id, with the answer and with an error", async () => {
      const client = openAiClient(target());
      const { response, request_id } = await client.chat.completions
        .create({ model: "suite", messages })
        .withResponse();
      expect(response.status).toBe(200);
      expect(request_id).toMatch(target().requestId);
      const error = await failing("errors-id", { status: 400 });
      expect(error instanceof OpenAI.APIError ? error.requestID : null).toMatch(target().requestId);
    });
  });

  describe("the official client's retries", () => {
    const patient = () => openAiClient(target(), { maxRetries: 2 });

    it("outlast a provider that fails twice", async () => {
      const { provider } = target();
      provider.script("retries-500", (earlier) => (earlier < 2 ? { status: 500 } : {}));
      const answer = await ask("retries-500", patient());
      expect(answer.choices[0]?.message.content).toBe("You said: hi");
      expect(provider.requestsFor("retries-500")).toHaveLength(3);
    });

    it("wait for as long as the provider says", async () => {
      const { provider } = target();
      const limited: Fault = { status: 429, headers: { "retry-after": "1" } };
      provider.script("retries-429", (earlier) => (earlier < 1 ? limited : {}));
      await ask("retries-429", patient());
      const [first, second] = provider.requestsFor("retries-429");
      expect((second?.receivedAt ?? 0) - (first?.receivedAt ?? 0)).toBeGreaterThanOrEqual(900);
    });

    it.each([400, 401, 403, 404])(
      "do not come for a provider's %i, which a retry cannot help",
      async (status) => {
        const { provider } = target();
        const model = `retries-${status}`;
        provider.script(model, { status });
        await rejection(ask(model, patient()));
        expect(provider.requestsFor(model)).toHaveLength(1);
      },
    );
  });
}
