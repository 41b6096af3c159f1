import { eventually } from "#test/harness/eventually.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import type { PostgresServer } from "#test/harness/postgres.ts";
import type { Stack, StackOptions, WorkerName } from "#test/harness/stack.ts";
import type { Fault } from "#test/providers/fault.ts";
import { startGateway, type GatewayStack } from "#test/gateway/gateway-stack.ts";
import { expect } from "vitest";

/** What `POST /v1/chat` answers. */
export interface ChatAnswer {
  session_id: string;
  message_id: string;
  reply: string;
  model: string;
  finish_reason: string;
  usage: { input_tokens: number; output_tokens: number; cost: string };
}

export interface SessionBody {
  id: string;
  team_id: string;
  key_id: string | null;
  end_user: string | null;
  title: string | null;
  model: string;
  system?: string | null;
  messages: number;
  usage: { input_tokens: number; output_tokens: number };
  created_at: string;
  last_active_at: string;
  expires_at: string;
}

export interface MessageBody {
  id: string;
  role: "user" | "assistant";
  content: unknown;
  model: string | null;
  finish_reason: string | null;
  created_at: string;
}

export interface Listed<Item> {
  data: Item[];
  next_cursor: string | null;
}

/** One event of a streamed turn. */
export interface TurnEvent {
  event: string;
  data: Record<string, unknown>;
  at: number;
}

/** A usage record as far as turns are concerned. */
export interface TurnRecord {
  id: string;
  session_id: string | null;
  end_user: string | null;
  model: string;
  status: number;
  error_code: string | null;
  input_tokens: number;
  output_tokens: number;
  estimated: boolean;
}

export interface SessionStack extends GatewayStack {
  client: ApiClient;
  /** Sends a message, and expects an answer. */
  talk(body: object, headers?: Record<string, string>): Promise<ChatAnswer>;
  /** What was said in a session, the oldest first, as role and content. */
  history(sessionId: string): Promise<[role: string, content: unknown][]>;
  /** Makes a model that answers as it is told to, and returns its name. */
  model(fault: Fault, settings?: { context_tokens?: number; timeoutMs?: number }): Promise<string>;
  /** The messages of the requests that the provider got for a model, as role and content. */
  prompts(model: string): [role: string, content: unknown][][];
  /** Waits until there are that many usage records of a model, and fails when there are more. */
  turnRecords(model: string, count: number): Promise<TurnRecord[]>;
}

/** The Workers with a provider that does what it is told, and a team with a key. */
export async function startSessions(
  postgres: PostgresServer,
  options: {
    vars?: Record<string, string>;
    workers?: WorkerName[];
    start?: (options: StackOptions) => Promise<Stack>;
  } = {},
): Promise<SessionStack> {
  const gateway = await startGateway(postgres, options.workers, options.vars, options.start);
  const { stack, provider, key } = gateway;
  const client = stack.client(key);
  let models = 0;
  return {
    ...gateway,
    client,
    talk: (body, headers) => client.expect<ChatAnswer>(200, "POST", "/v1/chat", body, headers),
    async history(sessionId) {
      const path = `/v1/sessions/${sessionId}/messages?limit=200`;
      const { data } = await client.expect<Listed<MessageBody>>(200, "GET", path);
      return data.reverse().map(({ role, content }) => [role, content]);
    },
    async model(fault, { context_tokens, timeoutMs = 30_000 } = {}) {
      const name = `model-${++models}`;
      provider.script(name, fault);
      await gateway.addModels({ [name]: name }, { timeoutMs });
      if (context_tokens !== undefined)
        await stack.admin.expect(200, "PUT", `/v1/admin/models/${name}`, {
          targets: [{ provider: `provider-${timeoutMs}`, model: name }],
          context_tokens,
        });
      return name;
    },
    prompts: (model) =>
      provider.requestsFor(model).map((request) => {
        const messages = request.body?.["messages"] as { role: string; content: unknown }[]; // as our gateway sends them
        return messages.map(({ role, content }) => [role, content]);
      }),
    async turnRecords(model, count) {
      const read = () =>
        stack.sql<TurnRecord>(
          `SELECT id, session_id, end_user, model, status, error_code, input_tokens, output_tokens, estimated
           FROM usage_records WHERE model = $1 ORDER BY at, id`,
          [model],
        );
      await eventually(async () => expect((await read()).length).toBeGreaterThanOrEqual(count));
      const rows = await read();
      expect(rows).toHaveLength(count);
      return rows;
    },
  };
}

/** Reads a streamed turn event by event, until it ends or `enough` says so. */
export async function readTurn(
  response: Response,
  enough: (events: TurnEvent[]) => boolean = () => false,
): Promise<TurnEvent[]> {
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const events: TurnEvent[] = [];
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of response.body ?? []) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const [, event = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
      expect(event, `not an event: ${part}`).not.toBe("");
      events.push({ event, data: JSON.parse(data) as TurnEvent["data"], at: Date.now() }); // all of ours are objects
    }
    if (enough(events)) return events;
  }
  return events;
}

/** What the `delta` events of a turn say together. */
export function deltasOf(events: TurnEvent[]): string {
  return events
    .filter(({ event }) => event === "delta")
    .map(({ data }) => data["text"])
    .join("");
}
