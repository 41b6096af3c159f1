import type { IncomingMessage, ServerResponse } from "node:http";
import pg from "pg";
import { readBody } from "../request-body.ts";
import { cancelSession, connectionSettings, type Login, type Target } from "./target.ts";

/** Neon's limit on both the request and the answer of a query over HTTP. */
const MAX_BYTES = 64 * 1024 * 1024;
const CONNECTIONS_PER_LOGIN = 20;

// Neon sends values as Postgres writes them; the driver parses them by type.
const AS_TEXT = { getTypeParser: () => (value: string) => value };

const ISOLATION_LEVELS = new Map([
  ["ReadUncommitted", "READ UNCOMMITTED"],
  ["ReadCommitted", "READ COMMITTED"],
  ["RepeatableRead", "REPEATABLE READ"],
  ["Serializable", "SERIALIZABLE"],
]);

const ERROR_FIELDS = [
  "severity",
  "code",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "where",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const;

/** A failure that is the proxy's own, not Postgres'. */
class ProxyError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Query {
  query: string;
  params: (string | null)[];
}

interface QueryAnswer {
  command: string;
  rowCount: number | null;
  fields: object[];
  rows: unknown[];
  rowAsArray: boolean;
}

/** Answers `POST /sql` the way Neon does. */
export interface SqlEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  stop(): Promise<void>;
}

export function createSqlEndpoint(target: Target): SqlEndpoint {
  const pools = new Map<string, pg.Pool>();

  function poolOf(login: Login): pg.Pool {
    const key = JSON.stringify([login.user, login.password, login.database]);
    const known = pools.get(key);
    if (known) return known;
    for (const [other, pool] of pools) {
      if (pool.totalCount + pool.waitingCount === 0) pools.delete(other); // tests make many databases
    }
    const settings = connectionSettings(target, login);
    const pool = new pg.Pool({
      ...settings,
      max: CONNECTIONS_PER_LOGIN,
      idleTimeoutMillis: 10_000,
    });
    pool.on("error", () => undefined); // an idle connection that dies is replaced by the next query
    pools.set(key, pool);
    return pool;
  }

  return {
    async handle(request, response) {
      try {
        const login = loginOf(request);
        const text = await readBody(request, MAX_BYTES);
        if (!text) throw new ProxyError(413, `request is too large (max is ${MAX_BYTES} bytes)`);
        const body = parseBody(text.toString("utf8"));
        const client = await poolOf(login).connect();
        const answer = await useClient({ client, login, target, request, response, body });
        send(response, 200, answer);
      } catch (error) {
        send(response, statusOf(error), describeError(error));
      }
    },
    async stop() {
      // A query that still runs would keep its pool from ending; its connection goes when the server ends.
      const ended = [...pools.values()].map((pool) => pool.end().catch(() => undefined));
      const patience = new Promise((resolve) => setTimeout(resolve, 1_000).unref());
      await Promise.race([Promise.all(ended), patience]);
    },
  };
}

function ignore(): void {}

interface Use {
  client: pg.PoolClient;
  login: Login;
  target: Target;
  request: IncomingMessage;
  response: ServerResponse;
  body: Query | Query[];
}

async function useClient({ client, login, target, request, response, body }: Use): Promise<object> {
  // `processID` is a documented member of pg's Client that its types leave out.
  const { processID } = client as unknown as { processID: number };
  const onClose = (): void => {
    if (!response.writableEnded)
      void cancelSession(target, login, processID).catch(() => undefined);
  };
  response.once("close", onClose);
  client.on("error", ignore); // the query that it breaks says so
  try {
    const asArrays = request.headers["neon-array-mode"] === "true";
    if (!Array.isArray(body)) return await run(client, body, asArrays);
    return { results: await runBatch(client, body, { begin: beginStatement(request), asArrays }) };
  } finally {
    response.off("close", onClose);
    client.off("error", ignore);
    // The next user must not find an open transaction (a lone BEGIN), nor a connection that broke.
    client.release(client.getTransactionStatus() !== "I");
  }
}

async function run(client: pg.PoolClient, query: Query, asArrays: boolean): Promise<QueryAnswer> {
  const result = await client.query<unknown[]>({
    text: query.query,
    values: query.params,
    rowMode: "array",
    types: AS_TEXT,
    queryMode: "extended", // as Neon: one statement a query, also without parameters
  } as pg.QueryArrayConfig); // pg's types leave `queryMode` out
  const fields = result.fields.map((field) => ({ ...field, format: "text" }));
  const names = fields.map((field) => field.name);
  const asObject = (row: unknown[]): object =>
    Object.fromEntries(row.map((value, index) => [names[index], value]));
  const rows = asArrays ? result.rows : result.rows.map(asObject);
  return {
    command: result.command ?? "",
    rowCount: result.rowCount,
    fields,
    rows,
    rowAsArray: asArrays,
  };
}

async function runBatch(
  client: pg.PoolClient,
  queries: Query[],
  { begin, asArrays }: { begin: string; asArrays: boolean },
): Promise<QueryAnswer[]> {
  await client.query(begin);
  try {
    const results = [];
    for (const query of queries) results.push(await run(client, query, asArrays));
    await client.query("COMMIT");
    return results;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined); // a broken connection is dropped on release
    throw error;
  }
}

function beginStatement(request: IncomingMessage): string {
  const words = ["BEGIN"];
  const level = request.headers["neon-batch-isolation-level"];
  if (level !== undefined) {
    const known = ISOLATION_LEVELS.get(String(level));
    if (known === undefined) throw new ProxyError(400, `Invalid isolation level: ${String(level)}`);
    words.push("ISOLATION LEVEL", known);
  }
  if (request.headers["neon-batch-read-only"] === "true") words.push("READ ONLY");
  if (request.headers["neon-batch-deferrable"] === "true") words.push("DEFERRABLE");
  return words.join(" ");
}

function loginOf(request: IncomingMessage): Login {
  const header = request.headers["neon-connection-string"];
  if (typeof header !== "string")
    throw new ProxyError(400, "The header Neon-Connection-String is missing");
  if (!URL.canParse(header))
    throw new ProxyError(400, "The header Neon-Connection-String is no address");
  const address = new URL(header);
  const user = decodeURIComponent(address.username);
  const database = decodeURIComponent(address.pathname.slice(1)) || user;
  return { user, password: decodeURIComponent(address.password), database };
}

function parseBody(text: string): Query | Query[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ProxyError(400, "The body is not JSON");
  }
  if (isRecord(body) && Array.isArray(body["queries"])) return body["queries"].map(parseQuery);
  return parseQuery(body);
}

function parseQuery(value: unknown): Query {
  if (!isRecord(value) || typeof value["query"] !== "string") {
    throw new ProxyError(400, 'The body has no "query" that is a string');
  }
  const params = value["params"] ?? [];
  if (!Array.isArray(params)) throw new ProxyError(400, '"params" is not an array');
  return { query: value["query"], params: params.map(parameterText) };
}

/** A JSON value as Postgres reads it. The driver sends text already, other clients may not. */
function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `{${value.map(arrayElement).join(",")}}`;
  return JSON.stringify(value);
}

function arrayElement(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(arrayElement).join(",")}}`;
  const text = parameterText(value);
  return text === null ? "NULL" : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function statusOf(error: unknown): number {
  if (error instanceof ProxyError) return error.status;
  return error instanceof pg.DatabaseError ? 400 : 500;
}

function describeError(error: unknown): object {
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof pg.DatabaseError ? error : undefined;
  return {
    message,
    ...Object.fromEntries(ERROR_FIELDS.map((field) => [field, details?.[field] ?? null])),
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.writableEnded) return; // the client is gone
  let text: string;
  try {
    text = JSON.stringify(body);
    if (Buffer.byteLength(text) > MAX_BYTES) throw new RangeError("too long");
  } catch {
    return send(response, 507, { message: `response is too large (max is ${MAX_BYTES} bytes)` });
  }
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
