import Anthropic, { type ClientOptions } from "@anthropic-ai/sdk";
import OpenAI, { type ClientOptions as OpenAiOptions } from "openai";
import { type UsageRow, usageRecords } from "#test/gateway/gateway-stack.ts";
import type { PostgresServer } from "#test/harness/postgres.ts";
import { startStack, type Stack } from "#test/harness/stack.ts";
import {
  type AnthropicServer,
  startAnthropicServer,
} from "#test/providers/anthropic/anthropic-server.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { type GeminiServer, startGeminiServer } from "#test/providers/gemini/gemini-server.ts";
import { type AiService, startAiService } from "#test/providers/workers-ai/ai-service.ts";

/** What the providers want, each its own. */
export const KEYS = { openai: "sk-openai-4711", anthropic: "sk-ant-4712", gemini: "AIza-4713" };
/** In micro-dollars for a token: what the tests count with. */
export const PRICE = { input: 3, output: 15 };
const PRICES = { input_per_million: "3", output_per_million: "15" };

/** Providers by the name of their kind, with a target each. */
export interface Target {
  provider: "openai" | "anthropic" | "gemini" | "workers_ai";
  model: string;
}

/** The built Workers in front of a local server of each kind. */
export interface KindsStack {
  stack: Stack;
  key: string;
  openaiServer: FaultProvider;
  anthropicServer: AnthropicServer;
  geminiServer: GeminiServer;
  aiService: AiService;
  /** Puts a model of ours with these targets, and says its name. */
  model(
    name: string,
    targets: { provider: string; model: string }[],
    more?: object,
  ): Promise<string>;
  openai(options?: OpenAiOptions): OpenAI;
  anthropic(options?: ClientOptions): Anthropic;
  /** Waits until there are that many records of the model, and fails when there are more. */
  waitForRecords(model: string, count: number): Promise<UsageRow[]>;
  stop(): Promise<void>;
}

export async function startKinds(postgres: PostgresServer): Promise<KindsStack> {
  const openaiServer = await startFaultProvider({ apiKey: KEYS.openai });
  const anthropicServer = await startAnthropicServer(KEYS.anthropic);
  const geminiServer = await startGeminiServer(KEYS.gemini);
  const aiService = await startAiService();
  const stack = await startStack({ postgres, ai: aiService.url });
  const { key } = await stack.createTeam();
  const common = { timeout_ms: 30_000, retries: { max: 0 } };
  const providers = {
    openai: { kind: "openai", base_url: openaiServer.url, api_key: KEYS.openai },
    anthropic: { kind: "anthropic", base_url: anthropicServer.url, api_key: KEYS.anthropic },
    gemini: { kind: "gemini", base_url: geminiServer.url, api_key: KEYS.gemini },
    workers_ai: { kind: "workers_ai" },
  };
  for (const [name, settings] of Object.entries(providers))
    await stack.admin.expect(201, "PUT", `/v1/admin/providers/${name}`, { ...settings, ...common });
  const clients = { apiKey: key, maxRetries: 0, timeout: 60_000 };
  return {
    stack,
    key,
    openaiServer,
    anthropicServer,
    geminiServer,
    aiService,
    async model(name, targets, more = {}) {
      const body = { targets, prices: PRICES, max_output_tokens: 8_000, ...more };
      await stack.admin.expect(201, "PUT", `/v1/admin/models/${name}`, body);
      return name;
    },
    openai: (options = {}) =>
      new OpenAI({ baseURL: `${stack.urls.api}/v1`, ...clients, ...options }),
    anthropic: (options = {}) =>
      new Anthropic({ baseURL: stack.urls.api, authToken: null, ...clients, ...options }),
    waitForRecords: usageRecords(stack).wait,
    async stop() {
      await stack.stop();
      await Promise.all(
        [openaiServer, anthropicServer, geminiServer, aiService].map((one) => one.stop()),
      );
    },
  };
}
