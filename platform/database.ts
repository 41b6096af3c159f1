import { neon, neonConfig, Pool, type PoolClient } from "@neondatabase/serverless";
import { drizzle as drizzleOverHttp } from "drizzle-orm/neon-http";
import { drizzle as drizzleOverWebSocket } from "drizzle-orm/neon-serverless";
import type { Database } from "#core/kernel/context.ts";
import { type AppError, databaseUnavailable } from "#core/kernel/errors.ts";
import * as schema from "#schema";

/** Where the database is. `NEON_LOCAL_PROXY` points the driver at the stand-in that development and tests run. */
export interface DatabaseSettings {
  DATABASE_URL: string;
  NEON_LOCAL_PROXY: string | null;
}

/** A statement or a connection that takes longer counts as failed, in milliseconds; without it a silent server is waited for without end. */
const STATEMENT_MS = 20_000;
const CONNECT_MS = 5_000;

function configureDriver(settings: DatabaseSettings): void {
  neonConfig.fetchFunction = (url: string, init: RequestInit) =>
    fetch(url, { ...init, signal: AbortSignal.timeout(STATEMENT_MS) });
  const proxy = settings.NEON_LOCAL_PROXY;
  if (proxy === null) return;
  neonConfig.fetchEndpoint = () => `http://${proxy}/sql`;
  neonConfig.wsProxy = () => `${proxy}/v2`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineConnect = false;
}

/** Settings never change in an isolate's life, and what stands here holds no connection. */
const opened = new WeakMap<DatabaseSettings, Database>();

/** Single statements, each a request over HTTP: no connection to open. */
export function openDatabase(settings: DatabaseSettings): Database {
  let database = opened.get(settings);
  if (!database) {
    configureDriver(settings);
    database = drizzleOverHttp(neon(settings.DATABASE_URL), { schema });
    opened.set(settings, database);
  }
  return database;
}

/**
 * One transaction over a WebSocket of its own, which its first statement opens: one that asks nothing costs nothing.
 * Postgres errors come out as the driver throws them.
 * @param work gets the transaction, and a look at whether anything was asked in it; what it throws rolls everything back
 */
export async function inTransaction<T>(
  settings: DatabaseSettings,
  work: (transaction: Database, isUsed: () => boolean) => Promise<T>,
): Promise<T> {
  const connection = new LateConnection(settings);
  try {
    // It is a client as far as drizzle asks for one, which is its `query`.
    const client = connection as unknown as PoolClient;
    return await drizzleOverWebSocket(client, { schema }).transaction((transaction) =>
      work(transaction, () => connection.isUsed),
    );
  } catch (error) {
    throw connection.refused ?? error; // drizzle says of each failed statement that it was the statement
  } finally {
    await connection.close();
  }
}

/** What begins and ends a transaction in which nothing was asked has nobody to be told to. */
const FRAME = /^(begin|commit|rollback)\b/;

/** A connection of one transaction. It is made when the first statement within it is to run. */
class LateConnection {
  readonly #settings: DatabaseSettings;
  #opened: { pool: Pool; client: Promise<PoolClient> } | null = null;
  /** Why there is no connection, where there is none. */
  refused: AppError | null = null;

  constructor(settings: DatabaseSettings) {
    this.#settings = settings;
  }

  get isUsed(): boolean {
    return this.#opened !== null;
  }

  /** As drizzle calls it: the text, or a description that has it. */
  async query(query: string | { text: string }, values?: unknown[]): Promise<unknown> {
    const text = typeof query === "string" ? query : query.text;
    if (!this.#opened && FRAME.test(text)) return { rows: [] };
    const client = await (this.#opened ??= this.#open()).client;
    return client.query(query as string, values); // it takes both, by overloads that a union does not fit
  }

  async close(): Promise<void> {
    if (!this.#opened) return;
    const { pool, client } = this.#opened;
    await client.then(
      (opened) => opened.release(true),
      () => undefined, // whoever asked the first statement was told
    );
    await pool.end();
  }

  #open() {
    configureDriver(this.#settings);
    const pool = new Pool({
      connectionString: this.#settings.DATABASE_URL,
      max: 1,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: STATEMENT_MS,
    });
    // A connection that breaks tells it twice: to the statement that runs, and as an event that nobody may leave unheard.
    pool.on("error", () => undefined);
    const begin = async () => {
      // The driver throws events in place of errors where it cannot connect.
      const client = await pool.connect().catch((cause: unknown) => {
        throw (this.refused = databaseUnavailable(cause));
      });
      await client.query("begin");
      return client;
    };
    return { pool, client: begin() };
  }
}
