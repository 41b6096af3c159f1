import type { PostgresServer } from "#test/harness/postgres.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startStack, type Stack, type StackOptions, type WorkerName } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";
import { expect } from "vitest";

/** What the provider wants, and nobody else may ever see. */
export const PROVIDER_KEY = "sk-the-providers-own-key-4711";
/** In micro-dollars for a million tokens: a dollar and two. */
const PRICES = { input_per_million: "1", output_per_million: "2" };

/** A usage record as Postgres has it. */
export interface UsageRow {
  id: string;
  attempt: number;
  team_id: string;
  key_id: string | null;
  end_user: string | null;
  model: string;
  provider: string | null;
  status: number;
  error_code: string | null;
  input_tokens: number;
  output_tokens: number;
  estimated: boolean;
  cost_micros: number;
  latency_ms: number;
  first_token_ms: number | null;
}

/** The Workers, the provider behind them, and a team with a key. */
export interface GatewayStack {
  stack: Stack;
  provider: FaultProvider;
  teamId: string;
  keyId: string;
  key: string;
  /** Names models of ours that go to models of the provider: `{ours: theirs}`. */
  addModels(names: Record<string, string>, options?: { timeoutMs?: number }): Promise<void>;
  /** Sends a chat completion by plain fetch. */
  chat(
    body: object,
    options?: { key?: string; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>;
  /** The usage records that Postgres has for a model. */
  recordsOf(model: string): Promise<UsageRow[]>;
  /** Waits until there are that many, and fails when there are more. */
  waitForRecords(model: string, count: number): Promise<UsageRow[]>;
  stop(): Promise<void>;
}

/** Starts the gateway with a provider whose key is sealed in the catalog, as an operator would set it up. */
export async function startGateway(
  postgres: PostgresServer,
  workers: WorkerName[] = ["api", "bot", "cron"],
  vars: Record<string, string> = {},
  start: (options: StackOptions) => Promise<Stack> = startStack,
): Promise<GatewayStack> {
  const provider = await startFaultProvider({ apiKey: PROVIDER_KEY });
  const stack = await start({ postgres, workers, vars });
  const { teamId, keyId, key } = await stack.createTeam();
  const records = usageRecords(stack);
  return {
    stack,
    provider,
    teamId,
    keyId,
    key,
    async addModels(names, { timeoutMs = 30_000 } = {}) {
      const name = `provider-${timeoutMs}`;
      const settings = {
        base_url: provider.url,
        api_key: PROVIDER_KEY,
        timeout_ms: timeoutMs,
        retries: { max: 0 },
      };
      const path = `/v1/admin/providers/${name}`;
      const put = await stack.admin.request("PUT", path, settings);
      expect(put.status).toBeLessThan(300);
      for (const [ours, theirs] of Object.entries(names)) {
        const model = { targets: [{ provider: name, model: theirs }], prices: PRICES };
        await stack.admin.expect(201, "PUT", `/v1/admin/models/${ours}`, model);
      }
    },
    chat: (body, { key: other = key, headers = {}, signal } = {}) =>
      stack.client(other).request("POST", "/v1/chat/completions", body, headers, signal),
    recordsOf: records.of,
    waitForRecords: records.wait,
    async stop() {
      await stack.stop();
      await provider.stop();
    },
  };
}

/** The usage records that Postgres has for a model. */
export function usageRecords(stack: Stack) {
  const of = (model: string) =>
    stack.sql<UsageRow>(
      `SELECT id, attempt, team_id, key_id, end_user, model, provider, status, error_code,
              input_tokens::int AS input_tokens, output_tokens::int AS output_tokens, estimated,
              cost_micros::int AS cost_micros, latency_ms, first_token_ms
       FROM usage_records WHERE model = $1`,
      [model],
    );
  return {
    of,
    /** Waits until there are that many, and fails when there are more. */
    async wait(model: string, count: number): Promise<UsageRow[]> {
      await eventually(async () => expect((await of(model)).length).toBeGreaterThanOrEqual(count));
      const records = await of(model);
      expect(records).toHaveLength(count);
      return records;
    },
  };
}

export const userSays = (content: unknown) => [{ role: "user", content }];
