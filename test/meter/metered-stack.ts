import { expect } from "vitest";
import type { ApiClient } from "#test/harness/api-client.ts";
import { eventually } from "#test/harness/eventually.ts";
import type { PostgresServer } from "#test/harness/postgres.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";
import { type FaultProvider, startFaultProvider } from "#test/providers/fault-provider.ts";

/** A limit as GET /v1/limits shows it. */
export interface ShownLimit {
  id: string;
  owner: string;
  unit: string;
  window: string | null;
  model: string | null;
  end_user: string | null;
  soft: boolean;
  prepaid: boolean;
  raise: { max: number | string; until: string } | null;
  max: number | string;
  used: number | string;
  reserved: number | string;
  remaining: number | string;
  resets_at: string | null;
}

/** What came back from a request for a model, read to its end. */
export interface Asked {
  status: number;
  headers: Headers;
  text: string;
}

/** The Workers with a provider behind them whose every token costs a tenth of a cent. */
export interface MeteredStack {
  stack: Stack;
  provider: FaultProvider;
  /** Puts a model of ours before one of the provider's. */
  addModel(name: string, target: string, more?: object): Promise<void>;
  /** Sends a chat completion for `metered`; whatever is given takes the place of the usual fields. */
  ask(client: ApiClient, more?: object, headers?: Record<string, string>): Promise<Asked>;
  limitTeam(teamId: string, ...limits: object[]): Promise<void>;
  limits(client: ApiClient, query?: string): Promise<ShownLimit[]>;
  /** Waits until nothing is set aside any more, and gives the limits as they are then. */
  settled(client: ApiClient): Promise<ShownLimit[]>;
  /** What Postgres has of a team's requests that reached a provider, and of corrections. */
  recorded(teamId: string): Promise<Recorded>;
  stop(): Promise<void>;
}

export interface Recorded {
  /** Requests, whatever their status. */
  requests: number;
  /** Of them, those that were answered. */
  answered: number;
  /** Of all records, corrections included. */
  micros: number;
  tokens: number;
  /** Charges for requests that nobody reported, and their taking back. */
  corrections: number;
}

/** In micro-dollars. */
export const TOKEN_PRICE = 1_000;
/** What the provider says that a short greeting took: 11 in, "You said: Hello" out. */
export const USUAL_TOKENS = 14;
/** The most tokens of an answer, where a request does not say. */
export const OUTPUT_CAP = 50;

export async function startMeteredStack(
  postgres: PostgresServer,
  vars: Record<string, string> = {},
): Promise<MeteredStack> {
  const provider = await startFaultProvider();
  const stack = await startStack({ postgres, vars });
  await stack.admin.expect(201, "PUT", "/v1/admin/providers/metered", {
    kind: "openai",
    base_url: provider.url,
  });
  const limits = async (client: ApiClient, query = "?limit=200") =>
    (await client.expect<{ data: ShownLimit[] }>(200, "GET", `/v1/limits${query}`)).data;
  const metered: MeteredStack = {
    stack,
    provider,
    async addModel(name, target, more = {}) {
      await stack.admin.expect(201, "PUT", `/v1/admin/models/${name}`, {
        targets: [{ provider: "metered", model: target, weight: 1 }],
        prices: { input_per_million: "1000", output_per_million: "1000" },
        max_output_tokens: OUTPUT_CAP,
        ...more,
      });
    },
    async ask(client, more = {}, headers = {}) {
      const body = { model: "metered", messages: [{ role: "user", content: "Hello" }], ...more };
      const response = await client.request("POST", "/v1/chat/completions", body, headers);
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    async limitTeam(teamId, ...list) {
      await stack.admin.expect(200, "PUT", `/v1/teams/${teamId}/limits`, { limits: list });
    },
    limits,
    settled: (client) =>
      eventually(async () => {
        const all = await limits(client);
        expect(all.map(({ id, reserved }) => [id, Number(reserved)])).toEqual(
          all.map(({ id }) => [id, 0]),
        );
        return all;
      }),
    async recorded(teamId) {
      const [row] = await stack.sql<Record<keyof Recorded, string>>(
        `SELECT count(*) FILTER (WHERE id LIKE 'req%') AS requests,
                count(*) FILTER (WHERE id LIKE 'req%' AND status = 200) AS answered,
                count(*) FILTER (WHERE id LIKE 'lease%') AS corrections,
                coalesce(sum(cost_micros), 0) AS micros,
                coalesce(sum(input_tokens + output_tokens), 0) AS tokens
         FROM usage_records WHERE team_id = $1`,
        [teamId],
      );
      const number = (name: keyof Recorded) => Number(row?.[name]);
      return {
        requests: number("requests"),
        answered: number("answered"),
        micros: number("micros"),
        tokens: number("tokens"),
        corrections: number("corrections"),
      };
    },
    async stop() {
      await stack.stop();
      await provider.stop();
    },
  };
  await metered.addModel("metered", "ok");
  return metered;
}

/** An amount of money as it is shown, in micro-dollars. */
export const micros = (dollars: number | string) => Math.round(Number(dollars) * 1_000_000);
