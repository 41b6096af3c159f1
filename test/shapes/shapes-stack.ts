import Anthropic, { type ClientOptions } from "@anthropic-ai/sdk";
import OpenAI, { type ClientOptions as OpenAiOptions } from "openai";
import { type GatewayStack, startGateway } from "#test/gateway/gateway-stack.ts";
import type { PostgresServer } from "#test/harness/postgres.ts";
import { type MockLlm, startMockLlm } from "#test/providers/mock-llm.ts";
import type { Script } from "#test/providers/scripted-requests.ts";

/** The gateway before a provider that fails as it is told, and before mock-llm, with both official clients. */
export interface ShapesStack extends GatewayStack {
  anthropic(options?: ClientOptions): Anthropic;
  openai(options?: OpenAiOptions): OpenAI;
  /** A model of ours that goes to one of the provider's, which does what the script says. */
  addScripted(model: string, script: Script, options?: { timeoutMs?: number }): Promise<string>;
}

/** The model of mock-llm, by its name with us. */
export const MOCK_MODEL = "mock-echo";

export async function startShapes(postgres: PostgresServer): Promise<ShapesStack> {
  const mock: MockLlm = await startMockLlm();
  const gateway = await startGateway(postgres, ["api", "bot", "cron"]);
  await gateway.stack.admin.request("PUT", "/v1/admin/providers/mock", { base_url: mock.url });
  await gateway.stack.admin.expect(201, "PUT", `/v1/admin/models/${MOCK_MODEL}`, {
    targets: [{ provider: "mock", model: "mock-1" }],
  });
  const common = { maxRetries: 0, timeout: 60_000 };
  return {
    ...gateway,
    anthropic: (options = {}) =>
      new Anthropic({
        baseURL: gateway.stack.urls.api,
        apiKey: gateway.key,
        authToken: null,
        ...common,
        ...options,
      }),
    openai: (options = {}) =>
      new OpenAI({
        baseURL: `${gateway.stack.urls.api}/v1`,
        apiKey: gateway.key,
        ...common,
        ...options,
      }),
    async addScripted(model, script, options) {
      gateway.provider.script(model, script);
      await gateway.addModels({ [model]: model }, options);
      return model;
    },
    async stop() {
      await gateway.stop();
      await mock.stop();
    },
  };
}

/** What a promise rejected with. */
export async function rejection(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}
